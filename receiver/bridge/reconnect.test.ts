import { describe, expect, it } from 'vitest';
import { delayOf } from './reconnect.ts';

describe('the next attempt', () => {
  it('comes at once after a cut, and ever later after failures', () => {
    expect(delayOf(0, false, () => 0.99)).toBe(0);
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((failures) => delayOf(failures, false, () => 0.999));
    expect(delays.map(Math.round)).toEqual([250, 500, 1000, 1999, 3998, 7996, 14_993, 14_993, 14_993]);
    expect(delayOf(1, false, () => 0)).toBe(125);
  });

  it('comes late where the backend has nothing to offer', () => {
    expect(delayOf(1, true, () => 0)).toBe(4000);
  });
});
