import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Journal, Settlement, Unit } from './journal.ts';
import { createModel } from './journal-model.ts';
import type { Place } from './journal-suite.ts';
import { commit, unit } from './journal-testing.ts';

const T = 1_800_000_000_000;
const HOUR = 3_600_000;

type Step =
  | { readonly kind: 'commit'; readonly calls: readonly (readonly Drawn[])[] }
  | {
      readonly kind: 'settle';
      readonly picks: readonly { readonly pick: number; readonly as: Settlement['state'] }[];
    }
  | { readonly kind: 'claim' | 'restart' | 'prune' }
  | { readonly kind: 'release'; readonly trigger: string }
  /** May go back: a clock that was set. */
  | { readonly kind: 'clock'; readonly by: number };

interface Drawn {
  readonly key: string | undefined;
  readonly fingerprint: string;
  readonly window: number;
  readonly occupy: boolean;
  readonly triggers: readonly string[];
  readonly start: 'waiting' | 'held' | 'parked';
  readonly delay: number;
}

const trigger = fc.constantFrom('a/x', 'a/y', 'b/x');
const drawn: fc.Arbitrary<Drawn> = fc.record({
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
      picks: fc.array(
        fc.record({
          pick: fc.nat(),
          as: fc.constantFrom<Settlement['state']>('waiting', 'parked', 'delivered', 'dead'),
        }),
        { maxLength: 10 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('claim' as const, 'restart' as const, 'prune' as const) }),
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

/** Any order of commits, repeats, settlements, claims, restarts and clock jumps: the journal does what the model does. */
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

function createWalk(place: Place, first: Journal) {
  const model = createModel();
  let journal = first;
  let now = T;
  let ids: number[] = [];
  /** The clock goes back no further: which of the expired keys a prune has dropped is the engine's own affair. */
  let pruned = 0;

  function unitOf(each: Drawn): Unit {
    const { key, start, ...rest } = each;
    return unit({
      ...rest,
      ...(key === undefined ? {} : { key }),
      held: start === 'held',
      ...(start === 'parked' ? { parked: 'suspended' } : {}),
      at: now,
      due: now + each.delay,
      answer: JSON.stringify(each.triggers),
    });
  }

  async function commitAll(calls: readonly (readonly Drawn[])[]): Promise<void> {
    const units = calls.map((call) => call.map(unitOf));
    const outcomes = (await Promise.all(units.map((call) => commit(journal, call)))).flat();
    for (const [i, each] of units.flat().entries()) {
      const expected = model.seen(each);
      const outcome = outcomes[i];
      if (expected !== undefined) expect(outcome).toEqual(expected);
      else if (outcome?.outcome === 'committed') {
        model.wrote(each, outcome.deliveries);
        ids.push(...outcome.deliveries);
      } else expect(outcome?.outcome).toBe('committed');
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

  async function take(each: Step): Promise<void> {
    if (each.kind === 'commit') await commitAll(each.calls);
    else if (each.kind === 'settle') {
      for (const { pick, as } of each.picks) {
        const told = settlement(ids[pick % Math.max(ids.length, 1)] ?? 0, as);
        journal.settle(told);
        model.settle(told);
      }
    } else if (each.kind === 'claim') {
      const claimed = await journal.claim(now, 1000, 1 << 30);
      expect(claimed.map(({ id, attempts }) => [id, attempts]).sort(([a = 0], [b = 0]) => a - b)).toEqual(
        model.claim(now),
      );
    } else if (each.kind === 'restart') {
      await journal.close();
      journal = await place.open();
      model.restart();
    } else if (each.kind === 'release')
      expect(await journal.release(each.trigger, now)).toBe(model.release(each.trigger, now));
    else if (each.kind === 'prune') {
      pruned = Math.max(pruned, Math.min(now, T + 24 * HOUR));
      // Young as all is, only dedup keys may go.
      expect(await journal.prune(pruned)).toBe(0);
    } else if (each.kind === 'clock') now = Math.max(now + each.by, pruned);
  }

  return {
    take,
    async compare(): Promise<void> {
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
