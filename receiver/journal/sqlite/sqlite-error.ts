import { JournalError } from '../journal.ts';

/** Primary result codes of SQLite (its low byte; the rest is detail). */
const BUSY = 5;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

const MEANING: Readonly<Record<number, readonly [JournalError['code'], string]>> = {
  [BUSY]: [
    'JournalLocked',
    'another process uses the journal in %; stop it, or give this one its own directory',
  ],
  [CORRUPT]: [
    'JournalCorrupt',
    'the journal in % is damaged; stop the receiver, set the files aside and restore a backup',
  ],
  [FULL]: [
    'JournalFull',
    'the disk that holds % is full; free some space, and the journal goes on by itself',
  ],
  [NOT_A_DATABASE]: [
    'JournalCorrupt',
    'journal.db in % is no journal; set it aside, or give another directory',
  ],
};

/** Says what an error of the database means for the journal in `directory`. */
export function journalError(error: unknown, directory: string): JournalError {
  if (error instanceof JournalError) return error;
  const meaning = MEANING[primaryCode(error)];
  if (meaning !== undefined) return new JournalError(meaning[0], meaning[1].replace('%', directory), error);
  const detail = error instanceof Error ? error.message : String(error);
  return new JournalError(
    'JournalUnavailable',
    `the journal in ${directory} can't be used: ${detail}`,
    error,
  );
}

/** Whether reading or writing the files failed: what the operating system has cached is no longer to be relied on. */
export function isIoError(error: JournalError): boolean {
  return primaryCode(error.cause) === IO_ERROR;
}

function primaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : -1;
}
