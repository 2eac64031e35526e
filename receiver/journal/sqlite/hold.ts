/**
 * While somebody copies a journal's files, nothing may be put from the WAL into the database: then the database as it was
 * read and the WAL as it is at the end are one journal together. Who copies says so with a file in the directory; the
 * journal looks for it before each checkpoint. A file that is not touched any more holds nobody up.
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'journal.hold';
const STALE_MS = 30_000;

/** Whether checkpoints are to wait. */
export function isHeld(directory: string, now: number): boolean {
  const stat = statSync(join(directory, FILE), { throwIfNoEntry: false });
  return stat !== undefined && Math.abs(now - stat.mtimeMs) < STALE_MS;
}

export interface Hold {
  /** To be called more often than every 30 seconds. */
  touch(): void;
  release(): void;
}

/** Asks the journal in a directory, if one is open there, for no checkpoints until `release`. */
export function holdCheckpoints(directory: string): Hold {
  const file = join(directory, FILE);
  // Written anew each time: another copy that ended meanwhile has removed it.
  const write = (): void => writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  write();
  return {
    touch: write,
    release: () => rmSync(file, { force: true }),
  };
}
