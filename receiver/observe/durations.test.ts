import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { measureDurations } from './durations.ts';

it('shows what a histogram of prom-client shows', async () => {
  const own = new Registry();
  const theirs = new Registry();
  const named = { name: 'wait_seconds', help: 'How long it took.' };
  const bounds = [0.001, 0.25, 5];
  const observe = measureDurations(own, { ...named, bounds });
  const histogram = new Histogram({ ...named, buckets: bounds, registers: [theirs] });
  expect(await own.metrics()).toBe(await theirs.metrics());
  for (const seconds of [0, 0.0005, 0.001, 0.0011, 0.25, 3, 5, 5.5, 100]) {
    observe(seconds);
    histogram.observe(seconds);
  }
  const shown = await own.metrics();
  expect(shown).toBe(await theirs.metrics());
  expect(shown).toContain('wait_seconds_bucket{le="0.25"} 5\n');
});
