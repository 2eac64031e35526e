import { expect, it } from 'vitest';
import type { ClaimedDelivery } from '../journal/journal.ts';
import { createClaims } from './claims.ts';
import { createMemoryLog } from './testing.ts';

const DELIVERY: ClaimedDelivery = {
  id: 1,
  trigger: 'a/x',
  shape: 'shape',
  attempts: 0,
  receivedAt: 0,
  event: 1,
  entrance: 'EventTrigger/a/x',
  attributes: '{}',
  data: undefined,
};

/** The loop with a clock and a timer that stand still until they are moved. */
function makeClaims(due: { trigger: string; at: number }[], leaveOut: () => readonly string[]) {
  let now = 1000;
  let timer: { readonly at: number; readonly callback: () => void } | undefined;
  const asked: (readonly string[])[] = [];
  const open = (except: readonly string[]) => due.filter(({ trigger }) => !except.includes(trigger));
  const claims = createClaims({
    journal: {
      async claim(at, limit, _bytes, except = []) {
        asked.push(except);
        const taken = open(except)
          .filter((each) => each.at <= at)
          .slice(0, limit);
        for (const each of taken) due.splice(due.indexOf(each), 1);
        return taken.map(({ trigger }) => ({ ...DELIVERY, trigger }));
      },
      nextDue: async (except = []) => open(except)[0]?.at,
    },
    now: () => now,
    setTimer(callback, ms) {
      const own = { at: now + ms, callback };
      timer = own;
      return () => {
        if (timer === own) timer = undefined;
      };
    },
    log: createMemoryLog(),
    room: () => 10,
    leaveOut,
    take: () => undefined,
  });
  /** Lets the timer fire, and what it began come to its end; how long it slept. */
  async function next(): Promise<number> {
    const { at, callback } = timer!;
    const slept = at - now;
    timer = undefined;
    now = at;
    callback();
    await new Promise((resolve) => setImmediate(resolve));
    return slept;
  }
  claims.start();
  return { claims, asked, next };
}

it('reads until nothing is due, then sleeps until something is', async () => {
  const { asked, next } = makeClaims(
    [
      { trigger: 'a/x', at: 1000 },
      { trigger: 'a/x', at: 1700 },
    ],
    () => [],
  );
  expect([await next(), await next(), await next()]).toEqual([0, 0, 700]);
  expect(asked).toHaveLength(3);
});

it('does not ask again and again for what is due and left out', async () => {
  let full = ['a/full'];
  const { claims, asked, next } = makeClaims(
    [
      { trigger: 'a/full', at: 900 },
      { trigger: 'a/x', at: 3000 },
    ],
    () => full,
  );
  expect([await next(), await next()]).toEqual([0, 2000]);
  expect(asked).toEqual([['a/full'], ['a/full']]);
  full = [];
  claims.wake(3000);
  expect(await next()).toBe(0);
  expect(asked.at(-1)).toEqual([]);
});
