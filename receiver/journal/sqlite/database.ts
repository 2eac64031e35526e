import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { JournalError } from '../journal.ts';
import type { Reach } from './failpoint.ts';
import { MIGRATIONS } from './schema.ts';
import { journalError } from './sqlite-error.ts';

/** Marks the file as a journal of ours: `SgBx`. */
const APPLICATION = 0x53_67_42_78;
export const PAGE_BYTES = 8192;
/** A WAL of so many pages is put into the file within a commit, if it could not be between two. */
const LARGEST_WAL_PAGES = 8000;
/** The same while somebody copies the journal's files: 1 GiB. */
const LARGEST_HELD_WAL_PAGES = 131_072;
/** A file up to this many pages is checked in full when it is opened: some ten milliseconds. */
const CHECKED_PAGES = 2048;

/**
 * Opens the journal's file and brings it to the current version. The lock is the database's own (exclusive, held by the
 * operating system for the process), so it ends with the process however that ends.
 * @throws JournalError saying what is wrong with the directory and the remedy
 */
export function openDatabase(directory: string, reach: Reach = () => undefined): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    const file = join(directory, 'journal.db');
    makePrivate(file);
    db = new DatabaseSync(file);
    prepare(db, directory, reach);
    return db;
  } catch (error) {
    if (db?.isOpen === true) db.close();
    throw journalError(error, directory);
  }
}

/**
 * A new journal is its owner's alone, whoever may look into the directory: events are in it. SQLite gives the files
 * beside it the same mode. One that is there is not opened here: to close it again would end this process's lock on it.
 */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch {
    // It is there, or SQLite says what keeps it from being made.
  }
}

function prepare(db: DatabaseSync, directory: string, reach: Reach): void {
  // Exclusive before the first access in WAL mode: the index of the WAL then lives on the heap, not in a shared file.
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = ${LARGEST_WAL_PAGES};
    BEGIN IMMEDIATE; COMMIT;`);
  const version = versionOf(db, directory);
  migrate(db, version, reach);
  check(db, directory);
}

/** The version of a database that is a journal of ours. @throws JournalError for one that is none, or is newer */
export function versionOf(db: DatabaseSync, directory: string): number {
  const application = number(db, 'PRAGMA application_id');
  const version = number(db, 'PRAGMA user_version');
  if (
    application !== APPLICATION &&
    (application !== 0 || number(db, 'SELECT count(*) FROM sqlite_schema') > 0)
  ) {
    throw new JournalError(
      'JournalCorrupt',
      `journal.db in ${directory} is no journal; set it aside, or give another directory`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new JournalError(
      'JournalTooNew',
      `the journal in ${directory} is of version ${version} and this program reads up to ${MIGRATIONS.length}; run the newer program again, or give another directory`,
    );
  }
  return version;
}

/** Brings a database to the current version, one transaction for each version. */
export function migrate(db: DatabaseSync, version: number, reach: Reach = () => undefined): void {
  for (const [i, statements] of MIGRATIONS.entries()) {
    if (i < version) continue;
    db.exec(
      `BEGIN IMMEDIATE; ${statements} PRAGMA user_version = ${i + 1}; PRAGMA application_id = ${APPLICATION};`,
    );
    reach('migration:before');
    db.exec('COMMIT');
    reach('migration:after');
  }
}

/** A small file is checked in full; a large one when its rows are read, each by its own checksum. */
function check(db: DatabaseSync, directory: string): void {
  if (number(db, 'PRAGMA page_count') > CHECKED_PAGES) return;
  const found = db.prepare('PRAGMA quick_check(1)').get();
  const verdict = found === undefined ? 'no answer' : String(Object.values(found)[0]);
  if (verdict === 'ok') return;
  const message = `the journal in ${directory} is damaged (${verdict}); set the files aside and restore a backup`;
  throw new JournalError('JournalCorrupt', message);
}

/** Whether the WAL may grow for now. */
export function holdWal(db: DatabaseSync, held: boolean): void {
  db.exec(`PRAGMA wal_autocheckpoint = ${held ? LARGEST_HELD_WAL_PAGES : LARGEST_WAL_PAGES}`);
}

/** The one number that a statement answers. */
export function number(db: DatabaseSync, sql: string): number {
  const row = db.prepare(sql).get();
  return row === undefined ? 0 : Number(Object.values(row)[0] ?? 0);
}
