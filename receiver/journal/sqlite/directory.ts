import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import { JournalError } from '../journal.ts';

/** Part of its volume that a journal may fill where nothing else is said. */
const VOLUME_SHARE = 0.8;

/**
 * Makes the directory where it is missing and sees that it can be written.
 * @throws JournalError `JournalUnavailable` that names the directory and the remedy
 */
export function prepareDirectory(directory: string): void {
  if (directory === '')
    throw new JournalError('JournalUnavailable', "the journal's directory has an empty name; give one");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why =
      code === 'EEXIST'
        ? 'is a file; give another directory'
        : `can't be written (${code}); let this user write there, or give another directory`;
    throw new JournalError('JournalUnavailable', `the journal's directory ${directory} ${why}`, error);
  }
}

/** What the journal may fill by default: 80 % of the volume it lies on, in bytes. */
export function defaultMaxBytes(directory: string): number {
  const { blocks, bsize } = statfsSync(directory);
  return Math.floor(blocks * bsize * VOLUME_SHARE);
}
