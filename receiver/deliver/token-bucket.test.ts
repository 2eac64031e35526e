import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTokenBucket } from './token-bucket.ts';

it('lets a burst of one period through, then the rate', () => {
  const bucket = createTokenBucket({ requests: 2, perMs: 1000 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 500]);
  expect(bucket.take(499)).toBe(1);
  expect(bucket.take(500)).toBe(0);
  expect(bucket.isFull(600)).toBe(false);
  expect(bucket.isFull(2000)).toBe(true);
});

it('never lets more through than the burst and the rate since', () => {
  const rates = fc.record({
    requests: fc.integer({ min: 1, max: 100 }),
    perMs: fc.integer({ min: 1, max: 10_000 }),
  });
  fc.assert(
    fc.property(rates, fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 200 }), (rate, steps) => {
      const bucket = createTokenBucket(rate, 0);
      let now = 0;
      let passed = 0;
      let taken = 0;
      for (const step of steps) {
        now += step;
        passed += Math.max(0, step);
        if (bucket.take(now) === 0) taken += 1;
      }
      expect(taken).toBeLessThanOrEqual(rate.requests + (passed / rate.perMs) * rate.requests + 1e-6);
    }),
  );
});

it('says when to come back: then there is a token', () => {
  const bucket = createTokenBucket({ requests: 3, perMs: 100 }, 0);
  for (let i = 0; i < 3; i++) bucket.take(0);
  expect(bucket.take(bucket.take(0))).toBe(0);
});
