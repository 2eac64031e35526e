import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { Journal, RowWrite } from '../journal.ts';
import { commit } from '../journal-testing.ts';
import { checkJournal } from './backup.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

/** An embedded journal whose rows a test writes, and whose tables it looks into. */
export interface RowStage {
  readonly journal: Journal;
  write(...rows: RowWrite[]): Promise<void>;
  /** What `read` finds in the closed file, and what a check of the whole of it finds; the journal is open again then. */
  look<Found>(read: (db: DatabaseSync) => Found): Promise<{ found: Found; findings: readonly unknown[] }>;
  close(): Promise<void>;
}

/** Opens one that is empty. */
export async function openRowStage(): Promise<RowStage> {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  let journal = await openSqliteJournal({ directory });
  return {
    get journal() {
      return journal;
    },
    async write(...rows) {
      const outcomes = await commit(journal, [{ deliveries: [], answer: '', rows }]);
      expect(outcomes).toMatchObject([{ outcome: 'committed' }]);
    },
    async look(read) {
      await journal.close();
      const db = new DatabaseSync(join(directory, 'journal.db'));
      const found = read(db);
      db.close();
      const { findings } = await checkJournal(directory);
      journal = await openSqliteJournal({ directory });
      return { found, findings };
    },
    async close() {
      await journal.close();
      await rm(directory, { recursive: true });
    },
  };
}
