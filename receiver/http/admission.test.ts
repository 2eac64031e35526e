import { describe, expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

describe('admission', () => {
  it('gives out its places and no more, and gives a returned one again', () => {
    const admission = createAdmission({ places: 2, bytes: 0 });
    expect([admission.enter(), admission.enter(), admission.enter()]).toEqual([true, true, false]);
    admission.leave();
    expect(admission.enter()).toBe(true);
    expect(admission.enter()).toBe(false);
  });

  it('gives out its bytes and no more, and gives returned ones again', () => {
    const admission = createAdmission({ places: 0, bytes: 100 });
    expect([admission.hold(60), admission.hold(41), admission.hold(40)]).toEqual([true, false, true]);
    admission.release(60);
    expect([admission.hold(61), admission.hold(60)]).toEqual([false, true]);
  });
});
