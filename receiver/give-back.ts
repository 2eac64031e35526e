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
