import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithPostgres, type TestDatabase } from '../../../../test/postgres/suite.ts';
import { refusalBounds } from '../../../observe/refusal-bounds.ts';
import { createRefusalLog } from '../../../observe/refusal-log.ts';
import { createRefusalStore } from '../../../observe/refusal-store.ts';
import { refusal } from '../../../observe/refusal-testing.ts';
import type { Journal, Page } from '../../journal.ts';
import { commit, unit } from '../../journal-testing.ts';
import { openSqliteJournal } from '../../sqlite/sqlite-journal.ts';
import { parsePostgresAddress } from '../address.ts';
import { openPostgresJournal } from '../postgres-journal.ts';
import { type CopyReport, copyJournal, type Progress } from './copy-journal.ts';
import { openSqliteSource } from './sqlite-source.ts';

const T = 1_800_000_000_000;
const DAY = 86_400_000;
const attempt = { at: T, durationMs: 1.5, status: 200, result: 'job-ä' };

describeWithPostgres('a copy of an embedded journal in PostgreSQL', (postgres) => {
  let database: TestDatabase;
  let directory: string;

  beforeEach(async () => {
    database = await postgres.database();
    directory = await mkdtemp(join(tmpdir(), 'copy-'));
  });

  afterEach(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const openTarget = (): Promise<Journal> =>
    openPostgresJournal({ address: parsePostgresAddress(database.url) });

  async function embedded(work: (journal: Journal) => Promise<void>): Promise<void> {
    const journal = await openSqliteJournal({ directory, runKeys: 64 });
    await work(journal);
    await journal.close();
  }

  async function copy(progress?: Progress): Promise<CopyReport> {
    const source = openSqliteSource(directory);
    try {
      return await copyJournal(source, parsePostgresAddress(database.url), progress);
    } finally {
      source.close();
    }
  }

  /** Events in all states, keys, lines, tasks and rows. */
  async function fill(journal: Journal, from: number, count: number): Promise<void> {
    journal.putShape('shape', '{"map":1}');
    const units = Array.from({ length: count }, (_, i) =>
      unit({
        at: T + from + i,
        key: `k${from + i}`,
        fingerprint: `f${i}`,
        answer: `["${from + i}"]`,
        attributes: JSON.stringify({ id: `${from + i}`, source: '/ä\u0000', type: 't' }),
        data: i % 7 === 0 ? undefined : Buffer.from(`{"n":${i}}`),
        triggers: i % 5 === 0 ? [] : ['a/x', 'a/y'],
        ...(i % 3 === 0 ? { line: `l${i % 2}`, task: `i/${i}` } : {}),
        rows: [
          {
            kind: 'instance',
            id: `i${from + i}`,
            expect: 0,
            at: T,
            owner: 'a/x',
            status: 'Running',
            body: '{}',
            due: T + i,
          },
        ],
      }),
    );
    await commit(journal, units);
    for (const { id } of await journal.claim(T + 10_000, count, 1 << 30)) {
      const kind = id % 4;
      if (kind === 0) journal.settle({ delivery: id, state: 'delivered', attempt });
      if (kind === 1) journal.settle({ delivery: id, state: 'dead', at: T, reason: 'HTTP 400', attempt });
      if (kind === 2) journal.settle({ delivery: id, state: 'waiting', due: T + 5, attempt });
    }
    await journal.flush();
  }

  async function all<T>(list: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(cursor);
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return items;
  }

  /** All that a journal tells of itself. */
  async function told(journal: Journal): Promise<unknown> {
    const cursorOf = (cursor: string | undefined): { cursor?: string } =>
      cursor === undefined ? {} : { cursor };
    const { backlog, dead, oldest } = await journal.stats();
    const counts = await journal.countRows('instance');
    return {
      events: await all((cursor) => journal.events({ limit: 1000, ...cursorOf(cursor) })),
      deliveries: await all((cursor) => journal.deliveries({ limit: 1000, ...cursorOf(cursor) })),
      rows: await all((cursor) => journal.listRows({ kind: 'instance', limit: 1000, ...cursorOf(cursor) })),
      counts: counts.map(({ status, count }) => `${status} ${count}`).sort(),
      stats: { backlog, dead, oldest },
      shape: await journal.shape('shape'),
      data: Buffer.from((await journal.event(3))?.data ?? []).toString(),
      byId: (await journal.events({ id: '5', limit: 9 })).items.map(({ event }) => event),
    };
  }

  async function expectSame(): Promise<void> {
    let expected: unknown;
    await embedded(async (journal) => {
      expected = await told(journal);
    });
    const target = await openTarget();
    expect(await told(target)).toEqual(expected);
    await target.close();
  }

  it('tells what the embedded one tells, event by event', async () => {
    await embedded((journal) => fill(journal, 0, 700));
    const report = await copy();
    expect(report).toMatchObject({ events: 700, copied: { events: 700, keys: 700, rows: 700 } });
    await expectSame();
  });

  it('takes the rest when it comes again: what is new, ended, redriven, changed and removed', async () => {
    await embedded((journal) => fill(journal, 0, 300));
    await copy();
    await embedded(async (journal) => {
      const { items: dead } = await journal.deliveries({ limit: 5, state: 'dead' });
      for (const { id } of dead) journal.settle({ delivery: id, state: 'waiting', due: T });
      await commit(journal, [
        {
          deliveries: [],
          answer: '',
          rows: [
            { kind: 'instance', id: 'i1', expect: 1, remove: true },
            {
              kind: 'instance',
              id: 'i2',
              expect: 1,
              at: T + 9,
              owner: 'a/x',
              status: 'Finished',
              body: '"end"',
            },
          ],
        },
      ]);
      await fill(journal, 300, 200);
    });
    const report = await copy();
    expect(report.copied).toMatchObject({ events: 200, keys: 200, rows: 201 });
    await expectSame();
    expect((await copy()).copied).toMatchObject({ events: 0, keys: 0, rows: 0 });
  });

  it('has what was refused, which goes when its time is over', async () => {
    const desk = (journal: Journal, writer: string) => {
      const bounds = refusalBounds({ keepMs: DAY });
      const refusals = createRefusalLog(bounds, '0badc0de');
      const rules = { ...bounds, writer };
      const log = { warn: () => undefined };
      return {
        ...createRefusalStore({ journal, refusals, rules, mostRows: 9, now: () => T, log }),
        ...refusals,
      };
    };
    let expected: unknown;
    await embedded(async (journal) => {
      const own = desk(journal, 'own');
      own.add(refusal({ at: T, event: 'ä\u0000' }));
      own.add(refusal({ at: T, entrance: '' }));
      expected = await own.list({ limit: 9 });
      await own.close();
    });
    await copy();
    const target = await openTarget();
    expect(await desk(target, 'other').list({ limit: 9 })).toEqual(expected);
    await target.prune(T + DAY);
    expect(await desk(target, 'other').list({ limit: 9 })).toEqual({ items: [] });
    await target.close();
  });

  it('goes on where it was broken off', async () => {
    await embedded((journal) => fill(journal, 0, 2500));
    const stop = (): never => {
      throw new Error('the cable was pulled');
    };
    await expect(copy((what) => (what === 'events' ? stop() : undefined))).rejects.toThrow(/cable/);
    await expect(copy((what) => (what === 'dedup keys' ? stop() : undefined))).rejects.toThrow(/cable/);
    const report = await copy();
    expect(report).toMatchObject({ events: 2500, copied: { events: 0 } });
    await expectSame();
  });

  it('is a journal that receivers go on with: repeats are known, what waited is due, numbers go on', async () => {
    await embedded((journal) => fill(journal, 0, 200));
    const { undone } = await copy();
    const target = await openTarget();
    const again = await commit(target, [unit({ at: T + 400, key: 'k7', fingerprint: 'f7' })]);
    expect(again).toEqual([{ outcome: 'seen', answer: '["7"]', differs: false }]);
    const [fresh] = await commit(target, [unit({ at: T + 400, key: 'new' })]);
    expect(fresh?.outcome === 'committed' && fresh.event).toBeGreaterThan(200);
    // Should a clock be behind, the number is one that nobody has all the same.
    const [late] = await commit(target, [unit({ at: T - 1000, key: 'late' })]);
    expect(late?.outcome).toBe('committed');
    const claimed = await target.claim(T + 10_000, 1000, 1 << 30);
    expect(claimed.length).toBeGreaterThan(0);
    expect(claimed.length).toBeLessThanOrEqual(undone);
    await target.close();
    await expect(copy()).rejects.toThrow(/holds a journal of its own; a copy goes into an empty database/);
  });

  it('refuses a database in use, and a journal that a receiver has open', async () => {
    await embedded((journal) => fill(journal, 0, 10));
    const target = await openTarget();
    await expect(copy()).rejects.toThrow(/is in use by a receiver; stop it/);
    await target.close();
    const open = await openSqliteJournal({ directory });
    expect(() => openSqliteSource(directory)).toThrow(/another process uses the journal/);
    await open.close();
  });

  it('tells a database that holds a copy of another journal', async () => {
    await embedded((journal) => fill(journal, 0, 20));
    await copy();
    await database.query(`UPDATE signalbox.copied SET through = 0 WHERE what = 'deliveries'`);
    await database.query(`UPDATE signalbox.done SET reason = 'changed'`);
    await expect(copy()).rejects.toThrow(/delivery \d+ differs in .*begin with an empty database/);
  });
});
