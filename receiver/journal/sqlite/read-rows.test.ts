import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RowWrite } from '../journal.ts';
import { commit } from '../journal-testing.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

/** More than two steps of a list look at. */
const MANY = 12_000;
const RARE = [0, 1, 6000, 6999, MANY - 1];

it('a list by status finds few among many, each once, whatever the page', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  const journal = await openSqliteJournal({ directory });
  const row = (i: number): RowWrite => {
    const status = RARE.includes(i) ? 'Blocked' : 'Waiting';
    return { kind: 'k', id: `${i}`, expect: 0, at: 1, owner: 'a/x', status, body: '' };
  };
  for (let from = 0; from < MANY; from += 500) {
    const rows = Array.from({ length: 500 }, (_, i) => row(from + i));
    await commit(journal, [{ deliveries: [], answer: '', rows }]);
  }
  const all = RARE.map(String).toReversed();
  const ids = (page: { items: readonly { id: string }[] }) => page.items.map(({ id }) => id);
  for (const owner of [{}, { owner: 'a/x' }]) {
    const query = { kind: 'k', status: 'Blocked', ...owner };
    const whole = await journal.listRows({ ...query, limit: 9 });
    expect([ids(whole), whole.next]).toEqual([all, undefined]);
    const { next: cursor = '', ...first } = await journal.listRows({ ...query, limit: 2 });
    const rest = await journal.listRows({ ...query, limit: 9, cursor });
    expect([...ids(first), ...ids(rest)]).toEqual(all);
  }
  await journal.close();
  await rm(directory, { recursive: true });
});
