import { describe, expect, it } from 'vitest';
import { createJobStates } from './job-states.ts';
import type { StateChange } from './reading.ts';

function change(to: string, second: number, jobId = 'j1'): StateChange {
  return { jobId, jobType: 't', queue: 'q', from: 'x', to, at: new Date(second * 1000).toISOString() };
}

describe('what is known of jobs', () => {
  it('takes every change that is told', () => {
    const states = createJobStates([], 10);
    expect(states.told(change('available', 1))).toBe(true);
    expect(states.told(change('active', 2))).toBe(true);
    expect(states.told(change('retryable', 3))).toBe(true);
    expect(states.told(change('active', 4))).toBe(true);
    expect(states.get('j1')).toMatchObject({ state: 'active' });
  });

  it('knows a change again that was read off the job, and those before it, but not what comes later', () => {
    const states = createJobStates([], 10);
    states.found(change('retryable', 5), 1);
    expect(states.told(change('active', 4))).toBe(false);
    expect(states.told(change('retryable', 6))).toBe(false);
    expect(states.told(change('active', 7))).toBe(true);
    states.found(change('completed', 9), 2);
    expect(states.told(change('active', 10))).toBe(true);
  });

  it('forgets the eldest, and saves the newest', () => {
    const states = createJobStates([['a', 'active', 1]], 2);
    states.told(change('active', 1, 'b'));
    states.told(change('completed', 1, 'c'));
    expect(states.get('a')).toBeUndefined();
    expect(states.save(1)).toEqual([['c', 'completed']]);
    expect(states.open(5)).toEqual(['b']);
  });
});
