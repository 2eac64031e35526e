import { describe, expect, it } from 'vitest';
import { detailsOf, readJob } from './job-record.ts';
import { missedChanges } from './missed.ts';

const T = (second: number): string => new Date(second * 1000).toISOString();

function job(over: object) {
  return readJob(
    Buffer.from(JSON.stringify({ id: 'j1', type: 't', queue: 'q', created_at: T(10), ...over })),
  );
}

const DONE = job({ state: 'completed', attempt: 1, started_at: T(20), completed_at: T(30) });

function told(changes: ReturnType<typeof missedChanges>): readonly string[] {
  return changes.map(({ from, to, at }) => `${from}>${to}@${Date.parse(at) / 1000}`);
}

describe('what a job tells of its past', () => {
  it('is all of it, where the job came in the gap', () => {
    expect(told(missedChanges(DONE, undefined, 5000))).toEqual([
      '>available@10',
      'available>active@20',
      'active>completed@30',
    ]);
  });

  it('is no end, where its state is a member that every object has', () => {
    const odd = job({ state: 'constructor', started_at: T(20), completed_at: T(30) });
    expect(told(missedChanges(odd, undefined, 5000))).toEqual(['>available@10']);
  });

  it('is what came in the gap, where the job is not known', () => {
    expect(told(missedChanges(DONE, undefined, 15_000))).toEqual([
      'available>active@20',
      'active>completed@30',
    ]);
    expect(missedChanges(DONE, undefined, 31_000)).toEqual([]);
  });

  it('is what follows what is known', () => {
    expect(told(missedChanges(DONE, { state: 'active' }, 0))).toEqual(['active>completed@30']);
    expect(missedChanges(DONE, { state: 'completed' }, 0)).toEqual([]);
  });

  it('is the new attempt, where the job failed and was tried again', () => {
    const again = job({ state: 'retryable', attempt: 2, started_at: T(50), error: {} });
    expect(told(missedChanges(again, { state: 'retryable', attempt: 1 }, 0))).toEqual([
      'available>active@50',
      'active>retryable@50',
    ]);
    expect(missedChanges(again, { state: 'retryable', attempt: 2 }, 0)).toEqual([]);
    expect(missedChanges(again, { state: 'retryable' }, 0)).toEqual([]);
  });

  it('is the failure of an attempt that was followed by another', () => {
    const second = job({ state: 'completed', attempt: 2, started_at: T(50), completed_at: T(60) });
    const failed = ['active>retryable@50', 'available>active@50', 'active>completed@60'];
    expect(told(missedChanges(second, undefined, 5000))).toEqual(['>available@10', ...failed]);
    expect(told(missedChanges(second, { state: 'active', attempt: 1 }, 0))).toEqual(failed);
    expect(told(missedChanges(second, { state: 'available', attempt: 0 }, 0))).toEqual(failed);
    expect(told(missedChanges(second, { state: 'retryable', attempt: 1 }, 0))).toEqual(failed.slice(1));
    expect(told(missedChanges(second, { state: 'active', attempt: 2 }, 0))).toEqual(failed.slice(2));
    const waits = job({ state: 'available', attempt: 1, started_at: T(20) });
    expect(told(missedChanges(waits, { state: 'active', attempt: 1 }, 0))).toEqual(['active>retryable@20']);
    expect(missedChanges(waits, { state: 'available', attempt: 1 }, 0)).toEqual([]);
  });

  it('is each failure whose time is in the record, with the error of its own', () => {
    const errors = [30, 50, 70].map((at, i) => ({ message: `e${i}`, attempt: i + 1, occurred_at: T(at) }));
    const done = job({ state: 'completed', attempt: 4, started_at: T(80), completed_at: T(90), errors });
    const last = ['available>active@80', 'active>completed@90'];
    const failed = ['active>retryable@30', 'active>retryable@50', 'active>retryable@70'];
    expect(told(missedChanges(done, { state: 'active', attempt: 1 }, 0))).toEqual([...failed, ...last]);
    expect(told(missedChanges(done, { state: 'active', attempt: 2 }, 0))).toEqual([
      ...failed.slice(1),
      ...last,
    ]);
    expect(told(missedChanges(done, { state: 'retryable', attempt: 3 }, 0))).toEqual(last);
    expect(told(missedChanges(done, undefined, 5000))).toEqual(['>available@10', ...failed, ...last]);
    expect(told(missedChanges(done, undefined, 40_000))).toEqual([...failed.slice(1), ...last]);
    const detailsAt = (at: string) => detailsOf(done, { to: 'retryable', at })('job.failed');
    expect(detailsAt(T(50))).toEqual({ attempt: '2', error: JSON.stringify(errors[1]) });
    expect(detailsAt(T(51))).toEqual({});
  });

  it('is the last failure with its own time, while the job waits for another attempt', () => {
    const errors = [30, 50].map((at, i) => ({ attempt: i + 1, occurred_at: T(at) }));
    const waits = job({ state: 'retryable', attempt: 2, started_at: T(40), errors });
    expect(told(missedChanges(waits, { state: 'active', attempt: 1 }, 0))).toEqual([
      'active>retryable@30',
      'available>active@40',
      'active>retryable@50',
    ]);
    const spent = job({ state: 'discarded', attempt: 2, started_at: T(40), discarded_at: T(51), errors });
    expect(told(missedChanges(spent, { state: 'retryable', attempt: 1 }, 0))).toEqual([
      'available>active@40',
      'active>discarded@51',
    ]);
  });

  it('is the last failure only, where the record has no times', () => {
    const errors = [
      { message: 'a', attempt: 0 },
      { message: 'b', attempt: 1 },
    ];
    const done = job({ state: 'completed', attempt: 3, started_at: T(80), completed_at: T(90), errors });
    expect(told(missedChanges(done, { state: 'active', attempt: 1 }, 0))).toEqual([
      'active>retryable@80',
      'available>active@80',
      'active>completed@90',
    ]);
  });

  it('is the cancellation without what the job was before', () => {
    const cancelled = job({ state: 'cancelled', cancelled_at: T(40) });
    expect(told(missedChanges(cancelled, { state: 'available' }, 0))).toEqual(['>cancelled@40']);
  });
});
