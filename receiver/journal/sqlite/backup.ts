import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { JournalError } from '../journal.ts';
import { copyFiles, DATABASE, mustBeThere } from './copy-files.ts';
import { versionOf } from './database.ts';
import { MIGRATIONS } from './schema.ts';
import { journalError } from './sqlite-error.ts';
import { type Verified, verify } from './verify.ts';

/** What was found in a journal, as it was when it was copied. */
export interface JournalReport extends Verified {
  /** Of the schema. */
  readonly version: number;
  readonly bytes: number;
}

/** Told of what is being done and how far it is: bytes copied, or events looked at. */
export type Progress = (step: 'copying' | 'checking', done: number, of: number) => void;

export interface CheckOptions {
  /** Where the copy is made that is looked at; as much room as the journal takes. Default: its own directory. */
  readonly scratch?: string;
  readonly progress?: Progress;
}

/**
 * Looks at everything in a journal that may be in use by another process; it goes on undisturbed. Never to be called in the
 * process that has it open: closing the file would give up the lock.
 * @throws JournalError where it cannot be looked at: none there, of a newer version, no room for the copy
 */
export async function checkJournal(directory: string, options: CheckOptions = {}): Promise<JournalReport> {
  const { scratch = directory, progress = () => undefined } = options;
  await mustBeThere(directory);
  const copy = await making(() => mkdtemp(join(scratch, 'journal-check-')), scratch);
  try {
    await copied(directory, copy, progress);
    const db = openCopy(copy, directory);
    try {
      const version = versionOf(db, directory);
      return {
        version,
        bytes: (await stat(join(copy, DATABASE))).size,
        ...verifiedBy(db, version, progress),
      };
    } catch (error) {
      throw journalError(error, directory);
    } finally {
      db.close();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/**
 * Copies a journal that may be in use by another process, as `checkJournal` does, and looks at the copy. What stands in `to`
 * then is a journal by itself: one file, complete, of the version that it had.
 * @throws JournalError where it cannot be copied; nothing is left in `to` then
 */
export async function backupJournal(
  directory: string,
  to: string,
  progress: Progress = () => undefined,
): Promise<JournalReport> {
  await mustBeThere(directory);
  await making(() => mkdir(to, { recursive: true, mode: 0o700 }), to);
  if ((await readdir(to)).length > 0) {
    throw new JournalError('JournalUnavailable', `${to} is not empty; name a new directory for the backup`);
  }
  try {
    await copied(directory, to, progress);
    return await settled(directory, to, progress);
  } catch (error) {
    for (const file of await readdir(to)) await rm(join(to, file), { recursive: true, force: true });
    throw error;
  }
}

/** Makes one file of what was copied, and looks at it. */
async function settled(directory: string, to: string, progress: Progress): Promise<JournalReport> {
  const db = openCopy(to, directory);
  try {
    const version = versionOf(db, directory);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const { size: bytes } = await stat(join(to, DATABASE));
    if (version === MIGRATIONS.length) return { version, bytes, ...verifiedBy(db, version, progress) };
  } catch (error) {
    throw journalError(error, directory);
  } finally {
    db.close();
  }
  // An older one is looked at as what it would become, and kept as it is.
  return checkJournal(to, { progress });
}

async function copied(directory: string, to: string, progress: Progress): Promise<void> {
  await making(() => copyFiles(directory, to, (bytes, of) => progress('copying', bytes, of)), to);
}

/** Opens files that are nobody else's; what stands in their WAL is recovered. */
function openCopy(copy: string, directory: string): DatabaseSync {
  const db = new DatabaseSync(join(copy, DATABASE));
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536');
    return db;
  } catch (error) {
    db.close();
    throw journalError(error, directory);
  }
}

function verifiedBy(db: DatabaseSync, version: number, progress: Progress): Verified {
  return verify(db, version, (events, of) => progress('checking', events, of));
}

/** Says which directory could not be written, and why. */
async function making<T>(work: () => Promise<T>, directory: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JournalError || !(error instanceof Error && 'code' in error)) throw error;
    const why = error.code === 'ENOSPC' ? 'there is no room' : String(error.code);
    const where = existsSync(directory) ? '' : ' (it is missing)';
    throw new JournalError(
      'JournalUnavailable',
      `a copy of the journal can't be written in ${directory}${where}: ${why}; name a directory with room for it`,
      error,
    );
  }
}
