import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Journal, RowWrite, Settlement, StateRow, Unit } from './journal.ts';
import { createModel } from './journal-model.ts';
import type { Place } from './journal-suite.ts';
import { commit, unit } from './journal-testing.ts';

const T = 1_800_000_000_000;
const HOUR = 3_600_000;

type Step =
  | { readonly kind: 'commit'; readonly calls: readonly (readonly Drawn[])[] }
  | { readonly kind: 'settle'; readonly picks: readonly Pick[] }
  | { readonly kind: 'claim'; readonly limit: number; readonly except: readonly string[] }
  | { readonly kind: 'restart' | 'prune' }
  | { readonly kind: 'release'; readonly trigger: string }
  /** May go back: a clock that was set. */
  | { readonly kind: 'clock'; readonly by: number };

/** A change of one of few rows, most often one that expects what is there. */
interface DrawnRow {
  readonly kind: 'instance' | 'key';
  readonly id: string;
  readonly what: 'write' | 'remove' | 'check';
  readonly stale: boolean;
  readonly owner: string;
  readonly status: string;
  readonly due: number | undefined;
  readonly keep: number | undefined;
}

interface Pick {
  readonly pick: number;
  readonly as: Settlement['state'];
}

interface Drawn {
  /** Without an event: rows and settlements only. */
  readonly bare: boolean;
  readonly rows: readonly DrawnRow[];
  readonly picks: readonly Pick[];
  readonly line: string | undefined;
  readonly key: string | undefined;
  readonly fingerprint: string;
  readonly window: number;
  readonly occupy: boolean;
  readonly triggers: readonly string[];
  readonly start: 'waiting' | 'held' | 'parked';
  readonly delay: number;
}

const trigger = fc.constantFrom('a/x', 'a/y', 'b/x');
const picked: fc.Arbitrary<Pick> = fc.record({
  pick: fc.nat(),
  as: fc.constantFrom<Settlement['state']>('waiting', 'parked', 'delivered', 'dead'),
});
const KINDS = ['instance', 'key'] as const;
const row: fc.Arbitrary<DrawnRow> = fc.record({
  kind: fc.constantFrom(...KINDS),
  id: fc.nat(5).map(String),
  what: fc.constantFrom('write', 'write', 'write', 'remove', 'check'),
  stale: fc.nat(9).map((n) => n === 0),
  owner: fc.constantFrom('a/x', 'b/x'),
  status: fc.constantFrom('Running', 'Finished'),
  due: fc.option(fc.nat(HOUR), { nil: undefined }),
  keep: fc.option(fc.nat(20 * HOUR), { nil: undefined }),
});
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.oneof(fc.constant<T[]>([]), fc.array(arbitrary, { maxLength }));
const drawn: fc.Arbitrary<Drawn> = fc.record({
  bare: fc.nat(5).map((n) => n === 0),
  rows: sometimes(row, 3),
  picks: sometimes(picked, 3),
  line: fc.option(fc.constantFrom('one', 'two'), { nil: undefined, freq: 2 }),
  key: fc.option(fc.nat(40).map(String), { nil: undefined }),
  fingerprint: fc.constantFrom('one', 'two'),
  window: fc.constantFrom(HOUR / 2, HOUR, 24 * HOUR),
  occupy: fc.boolean(),
  triggers: fc.array(trigger, { maxLength: 3 }),
  start: fc.constantFrom('waiting', 'held', 'parked'),
  delay: fc.nat(HOUR),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      calls: fc.array(fc.array(drawn, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      picks: fc.array(picked, { maxLength: 10 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      limit: fc.constantFrom(1, 3, 5, 8, 1000),
      except: fc.uniqueArray(trigger, { maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'prune' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), trigger }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      by: fc.integer({ min: -2 * HOUR, max: 20 * HOUR }),
    }),
  },
);

/**
 * Any order of commits, repeats, changes of rows, settlements, claims, restarts and clock jumps: the journal does what the
 * model does.
 */
export function journalProperty(name: string, makePlace: () => Promise<Place>, runs: number): void {
  it(`${name}: does what its model does`, { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const place = await makePlace();
        const walk = createWalk(place, await place.open());
        try {
          for (const each of steps) await walk.take(each);
          await walk.compare();
        } finally {
          await walk.end();
        }
      }),
      // A slow machine tries fewer.
      { numRuns: runs, interruptAfterTimeLimit: 60_000 },
    );
  });
}

/** Versions by kind and id. */
type Versions = Map<string, number>;

function byId(rows: readonly StateRow[]): StateRow[] {
  return [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function createWalk(place: Place, first: Journal) {
  const model = createModel();
  let journal = first;
  let now = T;
  let ids: number[] = [];
  /** The clock goes back no further: which of the expired keys a prune has dropped is the engine's own affair. */
  let pruned = 0;

  /** What the rows' versions will be when the unit is judged, if all before it is committed. */
  function rowOf(
    { kind, id, what, stale, owner, status, due, keep }: DrawnRow,
    versions: Versions,
  ): RowWrite {
    const name = `${kind}\n${id}`;
    const version = versions.get(name) ?? model.row(kind, id)?.version ?? 0;
    const expect = stale ? version + 1 : version;
    if (what === 'check') return { kind, id, expect, check: true };
    versions.set(name, what === 'remove' ? 0 : version + 1);
    if (what === 'remove') return { kind, id, expect, remove: true };
    const body = JSON.stringify({ version, at: now });
    const times = {
      due: due === undefined ? undefined : now + due,
      expiresAt: keep === undefined ? undefined : now + keep,
    };
    return { kind, id, expect, at: now, owner, status, body, ...times };
  }

  function unitOf(each: Drawn, versions: Versions): Unit {
    const { key, start, bare, rows, picks, line, ...rest } = each;
    const once = rows.filter(
      ({ kind, id }, i) => rows.findIndex((other) => other.kind === kind && other.id === id) === i,
    );
    const more = {
      rows: once.map((wanted) => rowOf(wanted, versions)),
      settlements: picks.map(({ pick, as }) => settlement(ids[pick % Math.max(ids.length, 1)] ?? 0, as)),
    };
    if (bare) return { deliveries: [], answer: '', ...more };
    return unit({
      ...rest,
      ...more,
      ...(key === undefined ? {} : { key }),
      held: start === 'held',
      ...(line === undefined || start === 'held' ? {} : { line }),
      ...(start === 'parked' ? { parked: 'suspended' } : {}),
      at: now,
      due: now + each.delay,
      answer: JSON.stringify(each.triggers),
    });
  }

  async function commitAll(calls: readonly (readonly Drawn[])[]): Promise<void> {
    const versions: Versions = new Map();
    const units = calls.map((call) => call.map((each) => unitOf(each, versions)));
    const outcomes = (await Promise.all(units.map((call) => commit(journal, call)))).flat();
    for (const [i, each] of units.flat().entries()) {
      const outcome = outcomes[i];
      const expected = model.carryOut(each, outcome);
      if (expected !== 'committed') expect(outcome).toEqual(expected);
      else if (outcome?.outcome === 'committed') ids.push(...outcome.deliveries);
      else expect(outcome?.outcome).toBe('committed');
    }
  }

  function settlement(delivery: number, state: Settlement['state']): Settlement {
    const attempt = { at: now, durationMs: 1, status: 200 };
    const made: { [S in Settlement['state']]: Settlement } = {
      waiting: { delivery, state: 'waiting', due: now + 1000, attempt },
      parked: { delivery, state: 'parked', reason: 'suspended' },
      delivered: { delivery, state: 'delivered', attempt },
      dead: { delivery, state: 'dead', at: now, reason: 'HTTP 400', attempt },
    };
    return made[state];
  }

  /** What is due, as much as it takes; of each trigger that has something due at least a share. */
  async function claim(limit: number, except: readonly string[]): Promise<void> {
    const due = model.due(now, except);
    expect(await journal.nextDue(except)).toBe(model.nextDue(except));
    const claimed = await journal.claim(now, limit, 1 << 30, except);
    const told = claimed
      .map(({ id, trigger, attempts }) => ({ id, trigger, attempts }))
      .sort((a, b) => a.id - b.id);
    const ids = new Set(told.map(({ id }) => id));
    expect(told).toEqual(due.filter(({ id }) => ids.has(id)));
    expect(told.length).toBeLessThanOrEqual(limit);
    const triggers = new Set(due.map((each) => each.trigger));
    const share = due.length <= limit ? limit : Math.floor(limit / triggers.size);
    for (const name of triggers) {
      const count = (of: readonly { trigger: string }[]): number =>
        of.filter((each) => each.trigger === name).length;
      expect(count(told)).toBeGreaterThanOrEqual(Math.min(count(due), share));
    }
    for (const id of ids) model.hold(id);
  }

  async function take(each: Step): Promise<void> {
    if (each.kind === 'commit') await commitAll(each.calls);
    else if (each.kind === 'settle') {
      for (const { pick, as } of each.picks) {
        const told = settlement(ids[pick % Math.max(ids.length, 1)] ?? 0, as);
        journal.settle(told);
        model.settle(told);
      }
    } else if (each.kind === 'claim') await claim(each.limit, each.except);
    else if (each.kind === 'restart') {
      await journal.close();
      journal = await place.open();
      model.restart();
    } else if (each.kind === 'release')
      expect(await journal.release(each.trigger, now)).toBe(model.release(each.trigger, now));
    else if (each.kind === 'prune') {
      pruned = Math.max(pruned, Math.min(now, T + 24 * HOUR));
      // Young as all is, only dedup keys and rows may go.
      expect(await journal.prune(pruned)).toBe(0);
      model.prune(pruned);
    } else if (each.kind === 'clock') now = Math.max(now + each.by, pruned);
  }

  async function compareRows(kind: string): Promise<void> {
    const expected = model.rows(kind);
    const { items } = await journal.listRows({ kind, limit: 1000 });
    expect(byId(items)).toEqual(byId(expected));
    const found = await journal.rows(
      kind,
      expected.map(({ id }) => id),
    );
    expect(found).toEqual(expected);
    const due = expected.flatMap((each) => (each.due !== undefined && each.due <= now ? [each.due] : []));
    expect((await journal.dueRows(kind, now, 1000)).map((each) => each.due)).toEqual(
      due.sort((a, b) => a - b),
    );
    const counts = await journal.countRows(kind);
    expect(counts.map((each) => JSON.stringify(each)).sort()).toEqual(
      model
        .counts(kind)
        .map((each) => JSON.stringify(each))
        .sort(),
    );
  }

  return {
    take,
    async compare(): Promise<void> {
      for (const kind of KINDS) await compareRows(kind);
      const { items } = await journal.deliveries({ limit: 1000 });
      expect(items.map(({ id, state }) => [id, state])).toEqual(model.states().slice(0, 1000));
      const { backlog, dead } = await journal.stats();
      expect([backlog, dead]).toEqual([model.count('waiting') + model.count('parked'), model.count('dead')]);
    },
    async end(): Promise<void> {
      await journal.close();
      await place.remove();
      ids = [];
    },
  };
}
