import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkJournal } from '../../receiver/journal/sqlite/backup.ts';
import { FAILPOINTS, type Failpoint } from '../../receiver/journal/sqlite/failpoint.ts';
import { MIGRATIONS } from '../../receiver/journal/sqlite/schema.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';
import { lossesOf, type Told, toldBy } from './journal-round.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'failpoint-'));
});

afterEach(() => rm(directory, { recursive: true }));

/** Works on the journal in a process of its own, which ends at the failpoint when it gets there for the nth time. */
async function work(
  round: number,
  point: Failpoint,
  nth: number,
): Promise<Told & { readonly killed: boolean }> {
  const args = [join(import.meta.dirname, 'failing-store.ts'), directory, String(round), point, String(nth)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ...toldBy(text), killed: signal === 'SIGKILL' };
}

/** Which batch the journal says was the last, and which its newest event with a key is of: one transaction wrote both. */
async function lastBatches(): Promise<[string | undefined, string | undefined]> {
  const journal = await openSqliteJournal({ directory, runKeys: 32 });
  const [row] = await journal.rows('crash', ['newest']);
  const { items } = await journal.events({ limit: 2 });
  const [event] = await Promise.all(
    items
      .slice(1)
      .map(async ({ event: number }) => Buffer.from((await journal.event(number))?.data ?? []).toString()),
  );
  await journal.close();
  return [row?.body, event?.split('/').slice(0, 2).join('/')];
}

describe.each(FAILPOINTS.filter((point) => !point.startsWith('migration')))(
  'a journal killed at %s',
  (point) => {
    it('has all that it acknowledged, all of a transaction or nothing, and is sound', async () => {
      for (const [round, nth] of [1, 2 + Math.floor(Math.random() * 12)].entries()) {
        const told = await work(round, point, nth);
        expect(told.killed, `round ${round}, time ${nth}`).toBe(true);
        const [row, event] = await lastBatches();
        expect(row).toBe(event);
        expect(await checkJournal(directory)).toMatchObject({ findings: [] });
        expect(await lossesOf(directory, told)).toEqual([]);
      }
    });
  },
);

describe.each(['migration:before', 'migration:after'] as const)('a migration killed at %s', (point) => {
  it.each(MIGRATIONS.map((_, version) => version))(
    'from version %d is made, or can be made again',
    async (version) => {
      await mkdir(directory, { recursive: true });
      if (version > 0) {
        const db = new DatabaseSync(join(directory, 'journal.db'));
        db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; ${MIGRATIONS.slice(0, version).join('')}
        PRAGMA user_version = ${version}; PRAGMA application_id = 1399276152; INSERT INTO name VALUES (1, 'kept');`);
        db.close();
      }
      expect((await work(0, point, 1)).killed).toBe(true);
      const told = await work(1, 'commit:after', 20);
      expect(told.killed).toBe(true);
      expect(await checkJournal(directory)).toMatchObject({ findings: [], version: MIGRATIONS.length });
      expect(await lossesOf(directory, told)).toEqual([]);
    },
  );
});
