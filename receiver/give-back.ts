import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects what is no longer used, and gives it back to the system, the grown young generation too. Ten thousand resources
 * read at once leave more behind than is kept, and who then has nothing to do would hold it for hours. Stops the process
 * for some tenths of a second: for rare occasions.
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort' });
}

/**
 * From now on the heap grows by four tenths of what is in use before it is collected, and is collected in one go. Left to
 * itself, V8 lets ten thousand resources leave three times what is kept, and what is used up while it marks in small steps
 * stays until the next time; what a process once took counts against its limit. For who has more time than memory: a
 * collection stops the process for some hundredths of a second.
 */
export function growSlowly(): void {
  setFlagsFromString('--heap-growing-percent=40');
  setFlagsFromString('--no-incremental-marking');
}
