import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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

it('makes files that only their owner reads, in a directory that others read, too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  try {
    await chmod(directory, 0o755);
    const journal = await openSqliteJournal({ directory });
    const files = (await readdir(directory)).filter((name) => name.startsWith('journal.db'));
    expect(files).toEqual(['journal.db', 'journal.db-wal']);
    for (const name of files) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    await journal.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
