import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldBy, LEASE_SECONDS, mayHold, microTime, released } from './lease.ts';

const AT = Date.UTC(2026, 10, 25, 12, 0, 0, 7);

test('a time has six fractional digits', () => {
  expect(microTime(AT)).toBe('2026-11-25T12:00:00.007000Z');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (now) => {
      expect(microTime(now)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }),
  );
});

test('a Lease is free where there is none, nobody holds it, or it is one’s own', () => {
  expect(mayHold({ spec: undefined, since: AT }, 'a', AT)).toBe(true);
  expect(mayHold({ spec: { holderIdentity: '' }, since: AT }, 'a', AT)).toBe(true);
  expect(mayHold({ spec: heldBy('a', undefined, AT), since: AT }, 'a', AT)).toBe(true);
  expect(mayHold({ spec: heldBy('b', undefined, AT), since: AT }, 'a', AT)).toBe(false);
});

test('another’s Lease is free once it has not changed for its duration, whatever the other clock says', () => {
  const years = 5 * 365 * 86_400_000;
  for (const skew of [-years, 0, years]) {
    const observed = { spec: heldBy('b', undefined, AT + skew), since: AT };
    expect(mayHold(observed, 'a', AT + LEASE_SECONDS * 1000 - 1)).toBe(false);
    expect(mayHold(observed, 'a', AT + LEASE_SECONDS * 1000)).toBe(true);
  }
});

test('renewing keeps when it was acquired; taking it over counts as a transition', () => {
  const first = heldBy('a', undefined, AT);
  const renewed = heldBy('a', first, AT + 5000);
  expect(renewed).toMatchObject({ acquireTime: first.acquireTime, leaseTransitions: 1 });
  expect(renewed.renewTime).toBe(microTime(AT + 5000));
  expect(heldBy('b', renewed, AT + 9000)).toMatchObject({
    holderIdentity: 'b',
    acquireTime: microTime(AT + 9000),
    leaseTransitions: 2,
  });
});

test('a released Lease is free at once', () => {
  const left = released(heldBy('a', undefined, AT), AT);
  expect(mayHold({ spec: left, since: AT }, 'b', AT)).toBe(true);
  expect(heldBy('b', left, AT).leaseTransitions).toBe(2);
});
