import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, Settlement } from '../journal.ts';
import { commit, unit, type Wanted } from '../journal-testing.ts';
import { openSqliteJournal, type SqliteJournalOptions } from './sqlite-journal.ts';

const T = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let directory: string;
let journal: Journal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
});

afterEach(async () => {
  await journal.close();
  await rm(directory, { recursive: true });
});

async function open(options: Omit<SqliteJournalOptions, 'directory'>): Promise<void> {
  journal = await openSqliteJournal({ directory, ...options });
}

/** Commits events with one delivery each and settles them so; `undone`: leaves them. */
async function add(
  count: number,
  state: 'delivered' | 'dead' | 'undone' | 'unmatched',
  data = 10,
): Promise<number[]> {
  const wanted: Wanted = {
    at: T,
    attributes: '{}',
    data: Buffer.alloc(data),
    record: '{}',
    held: true,
    triggers: state === 'unmatched' ? [] : ['a/x'],
  };
  const outcomes = await commit(
    journal,
    Array.from({ length: count }, () => unit(wanted)),
  );
  return outcomes.map((outcome) => {
    if (outcome.outcome !== 'committed') throw new Error('not committed');
    const [delivery = 0] = outcome.deliveries;
    const attempt = { at: T, durationMs: 1 };
    const told: Readonly<Record<string, Settlement>> = {
      delivered: { delivery, state: 'delivered', attempt },
      dead: { delivery, state: 'dead', at: T, reason: 'no', attempt },
    };
    const settlement = told[state];
    if (settlement !== undefined) journal.settle(settlement);
    return outcome.event;
  });
}

async function left(): Promise<number[]> {
  const { items } = await journal.events({ limit: 1000 });
  return items.map(({ event }) => event).toReversed();
}

describe('what may be kept of a kind', () => {
  it.each(['delivered', 'unmatched', 'dead'] as const)(
    'is bounded by number: %s, oldest first',
    async (kind) => {
      await open({ limits: { [kind]: { events: 20 } } });
      const others = (['delivered', 'unmatched', 'dead'] as const).filter((other) => other !== kind);
      const first = await add(15, kind);
      const other = [...(await add(30, others[0] ?? 'dead')), ...(await add(30, others[1] ?? 'dead'))];
      const last = await add(15, kind);
      expect(await journal.prune(T)).toBe(10);
      expect(await left()).toEqual([...first.slice(10), ...other, ...last]);
      expect(await journal.prune(T)).toBe(0);
      const more = await add(3, kind);
      expect(await journal.prune(T + 1)).toBe(3);
      expect(await left()).toEqual([...first.slice(13), ...other, ...last, ...more]);
    },
  );

  it.each(['delivered', 'unmatched', 'dead'] as const)('is bounded by bytes: %s', async (kind) => {
    await open({ limits: { [kind]: { bytes: 10 * 1004 } } });
    const events = await add(25, kind, 1000);
    expect(await journal.prune(T)).toBe(15);
    expect(await left()).toEqual(events.slice(15));
    await journal.close();
    await open({ limits: { [kind]: { bytes: 4 * 1004 } } });
    expect(await journal.prune(T)).toBe(6);
    expect(await left()).toEqual(events.slice(21));
  });

  it('never drops what is undone, and drops it once it is done', async () => {
    await open({ limits: { delivered: { events: 5 } } });
    const undone = await add(10, 'undone');
    const done = await add(10, 'delivered');
    expect(await journal.prune(T)).toBe(10);
    expect(await left()).toEqual(undone);
    for (const { id } of (await journal.deliveries({ limit: 3 })).items)
      journal.settle({ delivery: id, state: 'delivered', attempt: { at: T, durationMs: 1 } });
    expect(await journal.prune(T + DAY)).toBe(3);
    expect(done).toHaveLength(10);
    expect(await left()).toEqual(undone.slice(0, 7));
  });

  it('does not count a dead letter that waits again', async () => {
    await open({ limits: { dead: { events: 5 } } });
    const events = await add(8, 'dead');
    for (const { id } of (await journal.deliveries({ limit: 4, state: 'dead' })).items)
      journal.settle({ delivery: id, state: 'waiting', due: T });
    expect(await journal.prune(T)).toBe(0);
    expect(await left()).toEqual(events);
    expect(await journal.stats()).toMatchObject({ dead: 4, backlog: 4 });
  });

  it('counts over thousands, in steps that let commits through', async () => {
    await open({ limits: { delivered: { events: 100 }, unmatched: { bytes: 0 } } });
    await add(1500, 'delivered');
    await add(1500, 'unmatched');
    const [removed] = await Promise.all([journal.prune(T), add(1, 'delivered')]);
    expect([removed + (await journal.prune(T)), (await left()).length]).toEqual([2901, 100]);
  });
});

describe('how long a kind is kept', () => {
  it('can be set for each', async () => {
    await open({ retention: { delivered: DAY, unmatched: 2 * DAY, dead: 3 * DAY } });
    await add(1, 'delivered');
    await add(1, 'unmatched');
    await add(1, 'dead');
    const removed: number[] = [];
    for (const days of [1, 2, 3]) {
      expect(await journal.prune(T + days * DAY - 1)).toBe(0);
      // What a walk has passed over is looked at again an hour later.
      removed.push(await journal.prune(T + days * DAY + 2 * HOUR));
    }
    expect(removed).toEqual([1, 1, 1]);
  });

  it('drops large events in small steps', async () => {
    await open({ retention: { delivered: DAY } });
    for (let i = 0; i < 5; i++) await add(1, 'delivered', 6 << 20);
    const before = (await journal.stats()).bytes;
    expect(await journal.prune(T + DAY)).toBe(5);
    expect((await journal.stats()).bytes).toBeLessThan(before / 10);
  });
});
