import { describe, expect, it } from 'vitest';
import { createBacklog } from './backlog.ts';

function added(deliveries: number, due = deliveries, most = 1_000_000) {
  const backlog = createBacklog({ most });
  backlog.sample({ backlog: 0, busy: 0, now: 0 });
  backlog.added(deliveries, due);
  return backlog;
}

function tried(backlog: ReturnType<typeof createBacklog>, count: number): void {
  for (let i = 0; i < count; i++) backlog.tried();
}

describe('a backlog', () => {
  it('is full at its bound, also before anybody has counted, and has room again once it has shrunk', () => {
    const backlog = added(99, 0, 100);
    expect(backlog.full()).toBeUndefined();
    backlog.added(1, 0);
    expect(backlog.full()).toMatchObject({ why: 'full' });
    backlog.sample({ backlog: 97, busy: 0, now: 1000 });
    expect(backlog.full()).toMatchObject({ why: 'full' });
    backlog.sample({ backlog: 95, busy: 0, now: 2000 });
    expect(backlog.full()).toBeUndefined();
  });

  it('says how long that lasts by how fast it shrinks', () => {
    const backlog = added(1000, 0, 1000);
    expect(backlog.full()?.retryAfter).toBe(300);
    for (let second = 1; second <= 20; second++) {
      backlog.added(12, 0);
      backlog.sample({ backlog: 1000, busy: 0, now: second * 1000 });
    }
    // 50 too many, 12 done a second.
    expect(backlog.full()).toEqual({ why: 'full', retryAfter: 5 });
  });

  it('is behind where this thread has no time left to try what it accepts', () => {
    const backlog = added(30_000);
    tried(backlog, 2000);
    backlog.sample({ backlog: 28_000, busy: 1, now: 1000 });
    expect(backlog.untried).toBe(28_000);
    // 1000 a second on average: 18,000 more than a burst.
    expect(backlog.full()).toEqual({ why: 'behind', retryAfter: 18 });
    tried(backlog, 18_000);
    expect(backlog.full()).toBeUndefined();
  });

  it('is not behind where a slow target is what is waited for, or what waits is a burst', () => {
    const slow = added(500_000);
    tried(slow, 10);
    slow.sample({ backlog: 499_990, busy: 0.3, now: 1000 });
    expect(slow.full()).toBeUndefined();
    const burst = added(9000);
    burst.sample({ backlog: 9000, busy: 1, now: 1000 });
    expect(burst.full()).toBeUndefined();
  });

  it('is not misled by what an earlier process left, nor by a clock that is set back', () => {
    const backlog = createBacklog({ most: 10 });
    tried(backlog, 5);
    expect(backlog.untried).toBe(0);
    backlog.sample({ backlog: 20, busy: 0, now: 10_000 });
    backlog.sample({ backlog: 15, busy: 0, now: 5000 });
    expect(backlog.full()).toMatchObject({ retryAfter: 300 });
  });
});
