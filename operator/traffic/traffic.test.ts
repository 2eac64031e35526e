import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import { createTrafficReporter } from './traffic.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

const named = (i: number): string => `EventTrigger/shop/t${String(i).padStart(3, '0')}`;

it('writes what changed, the stalest first, 15 a second in all and each status every 30 s', async () => {
  let delivered = 1;
  const items = (): readonly TrafficItem[] =>
    Array.from({ length: 50 }, (_, i) => ({
      resource: named(i),
      uid: 'u',
      delivered,
      failed: 0,
      backlog: 0,
    }));
  const writes: { readonly at: number; readonly resource: string }[] = [];
  const reporter = createTrafficReporter({
    ask: () => Promise.resolve(items()),
    token: () => Promise.resolve('t'),
    write(resource) {
      writes.push({ at: Date.now(), resource });
      return Promise.resolve();
    },
    shown: (resource) => (resource === named(49) ? undefined : { uid: 'u', traffic: () => undefined }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    everyMs: 30_000,
    now: Date.now,
  });
  reporter.receivers([{ name: 'r', url: 'http://r' }]);
  reporter.start();
  for (let second = 0; second < 300; second++) {
    if (second === 100) delivered += 1;
    if (second > 150) delivered += 1;
    await vi.advanceTimersByTimeAsync(1000);
  }
  reporter.stop();
  const seconds = Map.groupBy(writes, ({ at }) => at);
  expect(Math.max(...[...seconds.values()].map((group) => group.length))).toBe(15);
  const each = Map.groupBy(writes, ({ resource }) => resource);
  // What is gone is left alone; what did not change is not written again.
  expect([...each.keys()].toSorted()).toEqual(Array.from({ length: 49 }, (_, i) => named(i)));
  for (const times of each.values()) {
    expect(times.length).toBeGreaterThanOrEqual(5);
    for (const [i, { at }] of times.entries())
      if (i > 0) expect(at - (times[i - 1]?.at ?? 0)).toBeGreaterThanOrEqual(30_000);
  }
  expect(writes.filter(({ at }) => at < 1_700_000_000_000 + 100_000)).toHaveLength(49);
});
