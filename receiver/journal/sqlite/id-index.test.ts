import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../journal.ts';
import { commit, unit } from '../journal-testing.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

const T = 1_800_000_000_000;
const DAY = 86_400_000;

let directory: string;
let journal: Journal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
  await reopen();
});

afterEach(async () => {
  await journal.close();
  await rm(directory, { recursive: true });
});

async function reopen(): Promise<void> {
  await journal?.close();
  journal = await openSqliteJournal({ directory });
}

function attributesOf(id: string): string {
  return JSON.stringify({
    specversion: '1.0',
    note: 'not "id":"x"',
    id,
    source: '/s',
    type: 't',
    myid: 'other',
  });
}

async function add(ids: readonly string[], at = T): Promise<void> {
  await commit(
    journal,
    ids.map((id) => unit({ at, attributes: attributesOf(id) })),
  );
}

/** Numbers of the events with the id, newest first, over all pages. */
async function found(id: string, limit = 1000): Promise<number[]> {
  const events: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await journal.events({ id, limit, ...(cursor === undefined ? {} : { cursor }) });
    events.push(...page.items.map(({ event }) => event));
    cursor = page.next;
  } while (cursor !== undefined);
  return events;
}

const many = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `e${from + i}`);

function inside(sql: string): unknown[] {
  const db = new DatabaseSync(join(directory, 'journal.db'));
  const rows = db.prepare(sql).all();
  db.close();
  return rows;
}

describe('events by id', () => {
  it('are found over blocks and restarts, each page by page', async () => {
    await add(many(1, 5000));
    await add(['e7']);
    await add(many(5002, 4000));
    await reopen();
    await add(many(9002, 500));
    expect([await found('e7'), await found('e7', 1)]).toEqual([
      [5001, 7],
      [5001, 7],
    ]);
    for (const n of [1, 4095, 4096, 4097, 5000, 8191, 8192, 9001, 9002, 9501])
      expect(await found(`e${n}`)).toEqual([n]);
    expect(await found('none')).toEqual([]);
  });

  it.each(['ä😀', 'with "quotes" and \\', '', '\u0000\u2028', 'x'.repeat(3000)])(
    'whatever they are: %j',
    async (id) => {
      await add(['other', id, 'x', 'other']);
      expect(await found(id)).toEqual([2]);
      expect(await found('other')).toEqual([4, 1]);
    },
  );

  it('are not led astray by attributes that look like it', async () => {
    await commit(journal, [
      unit({ at: T, attributes: '{"myid":"a","note":"\\"id\\":\\"b\\"","id":"c"}' }),
      unit({ at: T, attributes: '{"source":"/none"}' }),
    ]);
    expect([await found('a'), await found('b'), await found('c')]).toEqual([[], [], [1]]);
  });

  it('are found after a commit that failed', async () => {
    await add(many(1, 4090));
    const bad = commit(journal, [
      ...many(1, 10).map((id) => unit({ at: T, attributes: attributesOf(`bad-${id}`) })),
      // The last of them cannot be stored: its time is no integer of the database's.
      unit({ at: 1e300, attributes: attributesOf('bad') }),
    ]);
    await expect(bad).rejects.toThrow();
    await add(many(4091, 20));
    expect(await found('bad-e3')).toEqual([]);
    for (const n of [3, 4090, 4091, 4096, 4100, 4110]) expect(await found(`e${n}`)).toEqual([n]);
  });

  it('are gone when they are pruned, and the blocks with them', async () => {
    await add(many(1, 9000));
    await add(['late'], T + 30 * DAY);
    await journal.prune(T + 30 * DAY);
    expect([await found('e5'), await found('late')]).toEqual([[], [9001]]);
    await journal.close();
    expect(inside('SELECT block FROM id_block')).toEqual([]);
    // As a journal of the version before is: it has no blocks.
    await reopen();
    await add(many(9002, 9000), T + 30 * DAY);
    await journal.close();
    inside('DELETE FROM id_block');
    await reopen();
    for (const n of [9002, 12_000, 18_001]) expect(await found(`e${n}`)).toEqual([n]);
  });
});

describe('deliveries by the id of their event', () => {
  async function deliver(ids: readonly string[], triggers: readonly string[]): Promise<void> {
    await commit(
      journal,
      ids.map((id) => unit({ at: T, attributes: attributesOf(id), triggers })),
    );
  }

  /** Triggers of the deliveries, newest first, over all pages. */
  async function deliveriesOf(id: string, limit = 1000): Promise<string[]> {
    const triggers: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await journal.deliveries({ id, limit, ...(cursor === undefined ? {} : { cursor }) });
      triggers.push(...page.items.map(({ trigger }) => trigger));
      cursor = page.next;
    } while (cursor !== undefined);
    return triggers;
  }

  it('are found over blocks, also among events without any, whatever became of them', async () => {
    await deliver(['e', 'other'], ['a/x', 'a/y']);
    await add(many(1, 4500));
    await deliver(many(4501, 4000), ['a/z']);
    await deliver(['e'], ['b/x']);
    journal.settle({ delivery: 2, state: 'delivered', attempt: { at: T, durationMs: 1 } });
    for (const limit of [1, 2, 1000]) expect(await deliveriesOf('e', limit)).toEqual(['b/x', 'a/y', 'a/x']);
    expect(await deliveriesOf('e4501')).toEqual(['a/z']);
    expect([await deliveriesOf('e7'), await deliveriesOf('none')]).toEqual([[], []]);
  });

  it('are found without reading other events', async () => {
    await deliver(['e'], ['a/x']);
    await deliver(many(1, 4500), ['a/z']);
    await journal.close();
    inside(`UPDATE event SET attributes = 1 WHERE id > 1 AND id < 4096`);
    await reopen();
    expect(await deliveriesOf('e')).toEqual(['a/x']);
    await expect(journal.deliveries({ source: '/none', limit: 9 })).rejects.toThrow();
  });
});
