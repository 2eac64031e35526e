import { describe, expect, it } from 'vitest';
import { completed } from './complete.ts';
import { readJob } from './job-record.ts';
import { readMessage } from './read-message.ts';

const T = (second: number): string => new Date(second * 1000).toISOString();

function reading(type: string, data?: string, time = T(30)) {
  const body = data === undefined ? '' : `,"data":${data}`;
  const [only] = readMessage(
    Buffer.from(
      `{"specversion":"1.0","id":"e","type":"${type}","source":"s","subject":"j1","time":"${time}"${body}}`,
    ),
  );
  return only!;
}

function job(over: object) {
  return readJob(Buffer.from(JSON.stringify({ id: 'j1', type: 'email.send', queue: 'q', ...over })));
}

const DONE = job({ state: 'completed', attempt: 2, started_at: T(20), completed_at: T(30), result: 1 });

describe('an envelope that lacks what its type has to tell', () => {
  it('gets it from the job, and keeps what it has byte for byte', () => {
    const came = reading('job.completed', '{ "queue" : "q" ,"x": 1e2 }');
    expect(came.lacks).toEqual(['job_type', 'duration_ms', 'attempt']);
    expect(completed(came, DONE).data?.toString()).toBe(
      '{ "queue" : "q" ,"x": 1e2 ,"job_type":"email.send","duration_ms":10000,"attempt":2}',
    );
  });

  it.each(['{}', '{ }', undefined])('gets it where it has no data: %s', (data) => {
    const { data: made } = completed(reading('job.started', data), job({ state: 'active', attempt: 1 }));
    expect(JSON.parse(String(made))).toEqual({ job_type: 'email.send', queue: 'q', attempt: 1 });
  });

  it('gets nothing of an attempt that is not its own', () => {
    const came = reading('job.completed', '{"job_type":"email.send","queue":"q"}');
    const other = job({ state: 'active', attempt: 3 });
    expect(completed(came, other)).toBe(came);
  });

  it('gets the error of its own failure, however far the job is by now', () => {
    const errors = [30, 50].map((at, i) => ({ message: `e${i}`, attempt: i + 1, occurred_at: T(at) }));
    const later = job({ state: 'available', attempt: 2, errors });
    const came = reading('job.failed', '{"job_type":"email.send","queue":"q"}');
    expect(JSON.parse(String(completed(came, later).data))).toMatchObject({
      attempt: 1,
      error: { message: 'e0' },
    });
    const spent = reading('job.discarded', '{"job_type":"email.send","queue":"q"}', T(50));
    expect(
      JSON.parse(String(completed(spent, job({ state: 'discarded', attempt: 2, errors })).data)),
    ).toEqual({
      job_type: 'email.send',
      queue: 'q',
      total_attempts: 2,
      last_error: errors[1],
    });
  });

  it('is none that tells all, or is of no known type, or whose data is no object', () => {
    const all = '{"job_type":"a","queue":"q","duration_ms":1,"attempt":1}';
    expect(reading('job.completed', all).lacks).toBeUndefined();
    expect(reading('job.progress', '{}').lacks).toBeUndefined();
    expect(reading('job.completed', '"text"').lacks).toBeUndefined();
  });
});
