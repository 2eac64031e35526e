import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithPostgres, type TestDatabase } from '../../../test/postgres/suite.ts';
import type { Journal, Query } from '../journal.ts';
import { commit, unit } from '../journal-testing.ts';
import { parsePostgresAddress } from './address.ts';
import { openPostgresJournal } from './postgres-journal.ts';
import { MIGRATIONS } from './schema.ts';

const T = 1_800_000_000_000;
const DAY = 86_400_000;

describeWithPostgres('events by id in PostgreSQL', (postgres) => {
  let database: TestDatabase;
  let journal: Journal;

  beforeEach(async () => {
    database = await postgres.database();
    await reopen();
  });

  afterEach(async () => {
    await journal.close();
    await database.drop();
  });

  async function reopen(): Promise<void> {
    await journal?.close();
    journal = await openPostgresJournal({ address: parsePostgresAddress(database.url) });
  }

  const attributesOf = (id: string): string =>
    JSON.stringify({ specversion: '1.0', note: 'not "id":"x"', id, source: '/s', type: 't', myid: 'other' });

  /** Numbers of the events. */
  async function add(ids: readonly string[], at = T, triggers: readonly string[] = []): Promise<number[]> {
    const outcomes = await commit(
      journal,
      ids.map((id) => unit({ at, attributes: attributesOf(id), triggers })),
    );
    return outcomes.map((each) => (each.outcome === 'committed' ? each.event : 0));
  }

  async function allOf<T>(
    query: Query,
    list: (query: Query) => Promise<{ readonly items: readonly T[]; readonly next?: string }>,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      items.push(...page.items);
      cursor = page.next;
      if (cursor === undefined) return items;
    }
  }

  const found = async (id: string, limit = 1000, more: Partial<Query> = {}): Promise<number[]> =>
    (await allOf({ id, limit, ...more }, journal.events)).map(({ event }) => event);
  const deliveries = async (id: string, limit = 1000, more: Partial<Query> = {}): Promise<number[]> =>
    (await allOf({ id, limit, ...more }, journal.deliveries)).map(({ event }) => event);

  const many = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `e${from + i}`);

  it('are found newest first over commits and restarts, each page by page', async () => {
    const [first = 0] = await add(['e7', ...many(100, 900)]);
    const [second = 0] = await add(['e7'], T, ['a/x', 'a/y']);
    await reopen();
    const [other = 0, third = 0] = await add(['e8', 'e7', 'e9'], T, ['a/x']);
    for (const limit of [1, 2, 1000]) {
      expect(await found('e7', limit)).toEqual([third, second, first]);
      expect(await deliveries('e7', limit)).toEqual([third, second, second]);
    }
    expect(await found('e8')).toEqual([other]);
    expect(await found('e7', 9, { trigger: 'a/y' })).toEqual([second]);
    expect(await deliveries('e7', 9, { trigger: 'a/y', state: 'waiting' })).toEqual([second]);
    expect(await deliveries('e7', 9, { event: third })).toEqual([third]);
    expect([await found('none'), await deliveries('none'), await deliveries('e500')]).toEqual([[], [], []]);
  });

  it('are found without reading those that have another', async () => {
    await add(many(1, 1200), T, ['a/x']);
    expect([(await found('e600')).length, (await deliveries('e600')).length]).toEqual([1, 1]);
    // Only what is noted is read: without the notes nothing is found.
    await database.query('DELETE FROM signalbox.id_block');
    expect([await found('e600'), await deliveries('e600')]).toEqual([[], []]);
  });

  it.each(['ä😀', 'with "quotes" and \\', '', '\u0000\u2028', 'x'.repeat(3000)])(
    'whatever they are: %j',
    async (id) => {
      const events = await add(['other', id, 'x', 'other']);
      expect(await found(id)).toEqual([events[1]]);
      expect(await found('other')).toEqual([events[3], events[0]]);
    },
  );

  it('are found where thousands have the same', async () => {
    const ids = Array.from({ length: 1000 }, () => 'same');
    const events = [...(await add(ids)), ...(await add(ids))];
    expect(await found('same', 300)).toEqual(events.toReversed());
  });

  it('outlive their partition where they are undone, and go with their events', async () => {
    const [kept = 0] = await add(['e1', 'e2'], T, ['a/x']);
    await add(['e1', 'e3'], T);
    const later = T + 10 * DAY;
    const [late = 0] = await add(['e1'], later);
    await journal.prune(later);
    expect([await found('e1'), await found('e3'), await deliveries('e1')]).toEqual([
      [late, kept],
      [],
      [kept],
    ]);
    for (const { id } of await journal.claim(later, 9, 1 << 20))
      journal.settle({ delivery: id, state: 'delivered', attempt: { at: later, durationMs: 1 } });
    await journal.flush();
    await journal.prune(later + DAY);
    expect(await found('e1')).toEqual([late]);
    expect((await database.query('SELECT FROM signalbox.id_block_kept')).rows).toEqual([]);
  });

  it('of a version before are read through, also what it writes in a partition of its own', async () => {
    const old = await add(['e1', 'e1', 'e2'], T, ['a/x']);
    await journal.close();
    await database.query(`DROP VIEW signalbox.every_id_block;
      DROP TABLE signalbox.id_block, signalbox.id_block_kept, signalbox.id_since;
      UPDATE signalbox.version SET version = ${MIGRATIONS.length - 1}`);
    await reopen();
    const [here = 0] = await add(['e1'], T, ['a/x']);
    const day = [T + DAY, T + 2 * DAY];
    const [next = 0] = await add(['e1'], day[0]);
    const [after = 0] = await add(['e1'], day[1], ['a/x']);
    for (const limit of [1, 9]) {
      expect(await found('e1', limit)).toEqual([after, next, here, old[1], old[0]]);
      expect(await deliveries('e1', limit)).toEqual([after, here, old[1], old[0]]);
    }
    await database.query('DELETE FROM signalbox.id_block');
    expect(await found('e1')).toEqual([next, here, old[1], old[0]]);
  });
});
