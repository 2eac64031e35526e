import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobOutcome } from './job-outcome.ts';
import { type Handling, type Harness, openHarness, runtimeOf, sagaEntry } from './journal-harness.ts';
import { eventOf, stepOf, streamOf } from './testing.ts';

const BRIDGE = 'EventBridge/shop/results';
const JOB = { id: 'job-1', state: 'available' };

const RUNTIME = runtimeOf(
  sagaEntry(
    streamOf([
      stepOf('first', { shape: { job: { type: 'a.b' } } }),
      stepOf('outcome', { wait: { job: { step: 'first', eventBridge: 'results' }, timeoutMs: 1000 } }),
    ]),
  ),
);

let now: number;
let harness: Harness;
let receiver: Handling;
let ids: number;

beforeEach(async () => {
  now = 1_000_000;
  ids = 0;
  harness = await openHarness(
    () => RUNTIME,
    () => now,
  );
  receiver = harness.receiver();
});

afterEach(() => harness[Symbol.asyncDispose]());

async function started(): Promise<string> {
  await harness.accept(receiver, eventOf({ type: 'start', id: `s${ids++}` }));
  return (await harness.instances())[0]?.id ?? '';
}

async function answered(job: unknown = JOB): Promise<void> {
  const [delivery] = receiver.handed.splice(0);
  if (delivery === undefined) throw new Error('nothing was sent');
  await harness.settle(receiver, delivery, { job });
}

async function tell(what: string, data: unknown = {}, subject = 'job-1'): Promise<void> {
  const type = `org.openjobspec.job.${what}`;
  await harness.accept(receiver, eventOf({ type, subject, id: `b${ids++}`, source: '/ojs' }, data), BRIDGE);
}

async function stands(id: string): Promise<string | undefined> {
  const one = await harness.instance(id);
  return one?.blocked === undefined ? one?.status : `Blocked: ${one.blocked.reason}`;
}

describe('a step that waits for a job', () => {
  it('goes on when the bridge tells that it is completed, and runs on that event', async () => {
    const id = await started();
    await answered();
    expect(await stands(id)).toBe('Waiting');
    await tell('started');
    await tell('completed', {}, 'job-2');
    await tell('failed', { attempt: 1, max_attempts: 3 });
    expect(await stands(id)).toBe('Waiting');
    await tell('completed', { result: 42 });
    expect(await stands(id)).toBe('Running');
    expect(receiver.handed).toMatchObject([
      { task: `${id}/outcome`, entrance: BRIDGE, event: { data: { result: 42 } } },
    ]);
  });

  it('does not miss an end that is told before the answer that names the job', async () => {
    const id = await started();
    await tell('completed', { result: 1 });
    await answered();
    expect(await stands(id)).toBe('Running');
    expect(receiver.handed).toMatchObject([
      { task: `${id}/outcome`, entrance: 'Instance/shop/saga', event: { data: { result: 1 } } },
    ]);
  });

  it('takes the answer of a repeated attempt for an end, where it says so', async () => {
    const id = await started();
    await answered({ ...JOB, state: 'completed' });
    expect(await stands(id)).toBe('Running');
  });

  it('is blocked when the job fails for good, and goes on when it is completed after all', async () => {
    const id = await started();
    await answered();
    await tell('failed', { attempt: 3, max_attempts: 3 });
    await tell('discarded');
    expect(await stands(id)).toBe('Blocked: the job job-1 of the step first failed');
    await tell('completed');
    expect(await receiver.streams.hand(id, 'retry')).toBe('changed');
    expect(await stands(id)).toBe('Running');
  });

  it('is blocked where the backend named no job, and times out like any other', async () => {
    const id = await started();
    await answered(null);
    expect(await stands(id)).toContain('was answered without a job to wait for');
    await receiver.streams.hand(id, 'cancel');
    const second = await started();
    await answered();
    now += 1000;
    const [row] = await harness.journal.dueRows('instance', now, 10);
    if (row !== undefined) await receiver.streams.elapsed(row);
    expect(await stands(second)).toBe('Failed');
    expect(await harness.journal.countRows('key')).toEqual([]);
  });
});

describe('jobOutcome', () => {
  it.each([
    ['job.completed', {}, 'completed'],
    ['com.example.job.completed', {}, 'completed'],
    ['org.openjobspec.job.discarded', {}, 'failed'],
    ['org.openjobspec.job.cancelled', {}, 'failed'],
    ['org.openjobspec.job.failed', {}, undefined],
    ['org.openjobspec.job.failed', { attempt: 1, max_attempts: 2 }, undefined],
    ['org.openjobspec.job.failed', { attempt: 2, max_attempts: 2 }, 'failed'],
    ['org.openjobspec.job.failed', { will_retry: false }, 'failed'],
    ['org.openjobspec.job.retrying', {}, undefined],
    ['notjob.completed', {}, undefined],
  ])('%s with %j is %s', (type, data, outcome) => {
    expect(jobOutcome(eventOf({ type }, data))).toBe(outcome);
  });
});
