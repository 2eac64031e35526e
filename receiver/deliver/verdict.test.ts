import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeliveryPolicy } from '../routing/table.ts';
import { POLICY } from '../routing/testing.ts';
import { isDown, type Standing, verdict, verdictOnFailure } from './verdict.ts';

const now = 1_000_000_000;
const middle = () => 0.5;
const first: Standing = { attempts: 1, receivedAt: now, now, retryAfter: undefined };
const failed = { outcome: 'retry', error: 'answered 503' } as const;

function judged(standing: Partial<Standing> = {}, policy: Partial<DeliveryPolicy> = {}) {
  return verdict(failed, { ...first, ...standing }, { ...POLICY, ...policy }, middle);
}

describe('verdict', () => {
  it('lets a delivery wait for its backoff', () => {
    expect(judged()).toEqual({ state: 'waiting', due: now + 200, error: 'answered 503' });
    expect(judged({ attempts: 3 })).toMatchObject({ due: now + 800 });
  });

  it('makes n retries after the first attempt, then none', () => {
    expect(judged({ attempts: 1 }, { retry: 0 })).toMatchObject({
      state: 'dead',
      reason: 'gave up after 1 attempt: answered 503',
    });
    expect(judged({ attempts: 3 }, { retry: 3 })).toMatchObject({ state: 'waiting' });
    expect(judged({ attempts: 4 }, { retry: 3 })).toMatchObject({ state: 'dead', cause: 'gave_up' });
  });

  it('tries for 24 h without retry, the last time when they are over', () => {
    const day = 86_400_000;
    expect(judged({ attempts: 200, receivedAt: now - day + 60_000 })).toMatchObject({ due: now + 60_000 });
    expect(judged({ attempts: 200, receivedAt: now - day })).toMatchObject({
      state: 'dead',
      cause: 'gave_up',
    });
  });

  it('does not give up on the first failures of a delivery that was parked for days', () => {
    const old = now - 10 * 86_400_000;
    expect(judged({ attempts: 1, receivedAt: old })).toEqual({
      state: 'waiting',
      due: now + 200,
      error: 'answered 503',
    });
    expect(judged({ attempts: 10, receivedAt: old })).toMatchObject({ state: 'dead' });
  });

  it('honours Retry-After up to retryAfterMax, and never sooner than the backoff', () => {
    expect(judged({ retryAfter: '30' })).toMatchObject({ due: now + 30_000 });
    expect(judged({ retryAfter: '99999' })).toMatchObject({ due: now + 600_000 });
    expect(judged({ retryAfter: '99999' }, { retryAfterMaxMs: 0 })).toMatchObject({ due: now + 200 });
    expect(judged({ retryAfter: '1', attempts: 6 })).toMatchObject({ due: now + 6400 });
  });

  it('waits at the ceiling for a paused queue', () => {
    const paused = { outcome: 'retry', error: 'answered 422 queue_paused', atCeiling: true } as const;
    expect(verdict(paused, first, POLICY, middle)).toMatchObject({ due: now + 300_000 });
  });

  it('ends at once what was refused, with the reason', () => {
    const refused = { outcome: 'refused', error: 'answered 400' } as const;
    expect(verdict(refused, first, POLICY, middle)).toEqual({
      state: 'dead',
      cause: 'refused',
      reason: 'answered 400',
      error: 'answered 400',
    });
  });

  it('retries transport errors, but no refused address', () => {
    const reset = { code: 'NoAnswer', message: 'the connection was reset (ECONNRESET)' } as const;
    expect(verdictOnFailure(reset, first, POLICY, middle)).toMatchObject({ state: 'waiting' });
    const egress = { code: 'EgressRefused', message: 'metadata resolves to 169.254.169.254' } as const;
    expect(verdictOnFailure(egress, first, POLICY, middle)).toMatchObject({
      state: 'dead',
      cause: 'egress_refused',
    });
  });

  it('always ends: following its own due times, any policy comes to an end', () => {
    const policies = fc.record({
      retry: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
      backoffPolicy: fc.constantFrom('exponential' as const, 'linear' as const),
      backoffDelayMs: fc.integer({ min: 100, max: 100_000 }),
    });
    fc.assert(
      fc.property(policies, fc.double({ min: 0, max: 0.999, noNaN: true }), ({ retry, ...rest }, random) => {
        const policy = { ...POLICY, ...rest, maxAgeMs: 3_600_000, ...(retry === undefined ? {} : { retry }) };
        let at = now;
        let attempts = 1;
        for (; attempts < 100_000; attempts++) {
          const result = verdict(failed, { ...first, attempts, now: at }, policy, () => random);
          if (result.state === 'dead') break;
          if (result.due < at) throw new Error('a retry that lies in the past');
          at = result.due;
        }
        if (retry !== undefined) expect(attempts).toBe(retry + 1);
        else expect(at - now).toBeGreaterThanOrEqual(3_600_000);
      }),
      { numRuns: 50 },
    );
  });
});

const answer = (status: number) => ({ status, headers: {}, body: Buffer.alloc(0) });

describe('isDown', () => {
  it('tells a target that is down from one that says no', () => {
    expect(isDown(answer(500), undefined)).toBe(true);
    expect(isDown(answer(429), undefined)).toBe(false);
    expect(isDown(undefined, { code: 'Timeout', message: '' })).toBe(true);
    expect(isDown(undefined, { code: 'EgressRefused', message: '' })).toBe(false);
  });
});
