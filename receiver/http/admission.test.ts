import { describe, expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

describe('admission', () => {
  it('gives out its places and no more, and gives a returned one again', () => {
    const admission = createAdmission(2);
    expect([admission.enter(), admission.enter(), admission.enter()]).toEqual([true, true, false]);
    admission.leave();
    expect(admission.underWay).toBe(1);
    expect(admission.enter()).toBe(true);
    expect(admission.enter()).toBe(false);
  });
});
