import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalProperty } from '../journal-property.ts';
import { journalSuite, type Place } from '../journal-suite.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

async function place(runKeys: number): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  return {
    open: () => openSqliteJournal({ directory, runKeys }),
    remove: () => rm(directory, { recursive: true }),
  };
}

// Small runs: keys leave memory at every turn, and both ways of finding them are taken.
journalSuite('SQLite', () => place(64));
journalProperty('SQLite', () => place(8), 25);
