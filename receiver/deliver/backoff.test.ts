import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY } from '../routing/testing.ts';
import { retryAfter, retryDelay } from './backoff.ts';

const middle = () => 0.5;

describe('retryDelay', () => {
  it('doubles from 0.2 s to the ceiling of 5 min where no retry is given', () => {
    const delays = Array.from({ length: 14 }, (_, i) => retryDelay(POLICY, i + 1, middle));
    expect(delays.slice(0, 4)).toEqual([200, 400, 800, 1600]);
    expect(delays.slice(-3)).toEqual([300_000, 300_000, 300_000]);
  });

  it('follows the author with retry: backoffDelay × 2^k past the ceiling, linear × (k+1)', () => {
    const policy = { ...POLICY, retry: 20, backoffDelayMs: 1000 };
    expect(retryDelay(policy, 11, middle)).toBe(1_024_000);
    const linear = { ...policy, backoffPolicy: 'linear' } as const;
    expect([1, 2, 3].map((attempt) => retryDelay(linear, attempt, middle))).toEqual([1000, 2000, 3000]);
  });

  it('never leaves ± 20 %, and stays finite however often', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (attempt, random) => {
          const delay = retryDelay(POLICY, attempt, () => random);
          const nominal = Math.min(200 * 2 ** Math.min(attempt - 1, 40), 300_000);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(nominal * 0.8));
          expect(delay).toBeLessThanOrEqual(Math.ceil(nominal * 1.2));
        },
      ),
    );
  });
});

describe('retryAfter', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 12:01:00 GMT', 60_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
  ])('reads %s', (header, ms) => expect(retryAfter(header, now)).toBe(ms));

  it.each([undefined, '', 'soon', '-5x'])('knows nothing from %s', (header) => {
    expect(retryAfter(header, now)).toBeUndefined();
  });
});
