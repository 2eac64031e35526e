import { describe, expect, it } from 'vitest';
import type { BridgeStage } from './stage.ts';
import { enqueue, setStage, work } from './stage.ts';

/** Each job's events that the backend had and the sink lacks. */
function missing(stage: BridgeStage): readonly string[] {
  const got = new Set(stage.events.map(({ type, ['subject']: subject }) => `${String(subject)} ${type}`));
  const told = stage.backend.log.map(({ type, subject }) => `${subject} org.openjobspec.${type}`);
  return told.filter((one) => !got.has(one));
}

/** Runs jobs, a few at a time, while something happens every so many of them. */
async function runJobs(
  stage: BridgeStage,
  jobs: number,
  every: number,
  happens: () => Promise<void> | void,
): Promise<void> {
  for (let i = 1; i <= jobs; i++) {
    enqueue(stage.backend);
    work(stage.backend);
    if (i % every === 0) await happens();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('what the backend had, the sink got', () => {
  it.each([[['queues', 'list']], [['websocket', 'list']], [['stream', 'list']], [['events']]] as const)(
    'over cuts of a backend with %j',
    async (have) => {
      await using stage = await setStage({ have });
      stage.backend.jobs.pause('default', false);
      stage.apply(stage.bridge());
      await stage.reading();
      await runJobs(stage, 60, 10, () => stage.backend.cut());
      await stage.until(() => missing(stage).length === 0);
      expect(stage.backend.log).toHaveLength(180);
    },
  );

  it('over an outage of the backend, and jobs that were under way when it began', async () => {
    await using stage = await setStage({ have: ['websocket', 'list'] });
    stage.apply(stage.bridge());
    await stage.reading();
    const ids = [1, 2, 3].map(() => enqueue(stage.backend));
    await stage.until(() => stage.events.length === 3);
    stage.backend.fail(502);
    await stage.until(async () => (await stage.status()).state === 'Down');
    stage.backend.jobs.fetch([], 3);
    for (const id of ids) stage.backend.jobs.ack(id, 1);
    enqueue(stage.backend);
    stage.backend.fail(undefined);
    await stage.until(() => missing(stage).length === 0);
    expect((await stage.status()).counts?.found).toBeGreaterThan(0);
  });

  it('of a job that failed several times during an outage, each failure once', async () => {
    let clock = Date.now();
    // Two failures of one millisecond would be one.
    await using stage = await setStage({ have: ['websocket', 'list'], now: () => new Date(clock++) });
    stage.apply(stage.bridge());
    await stage.reading();
    const id = enqueue(stage.backend);
    const [job] = stage.backend.jobs.fetch([], 1);
    await stage.until(() => stage.events.length === 2);
    stage.backend.fail(502);
    await stage.until(async () => (await stage.status()).state === 'Down');
    for (const message of ['first', 'second']) {
      stage.backend.jobs.nack(job?.id ?? '', { message });
      stage.backend.jobs.fetch([], 1);
    }
    stage.backend.jobs.ack(id, 1);
    stage.backend.fail(undefined);
    await stage.until(() => missing(stage).length === 0);
    await stage.until(() => stage.events.filter(({ type }) => type.endsWith('job.failed')).length === 2);
    const failed = stage.events
      .filter(({ type }) => type.endsWith('job.failed'))
      .toSorted((a, b) => String(a['time']).localeCompare(String(b['time'])));
    expect(failed).toMatchObject([
      { data: { attempt: 1, error: { message: 'first' } } },
      { data: { attempt: 2, error: { message: 'second' } } },
    ]);
    const told = stage.backend.log.filter(({ type }) => type === 'job.failed').map(({ time }) => time);
    expect(failed.map((event) => event['time'])).toEqual(told);
  });

  it('of jobs under way, where the backend lists none; and says what it may miss', async () => {
    await using stage = await setStage({ have: ['websocket'] });
    stage.apply(stage.bridge());
    expect((await stage.reading()).lossless).toMatchObject({ status: 'False', reason: 'NoReplay' });
    enqueue(stage.backend);
    work(stage.backend);
    enqueue(stage.backend);
    await stage.until(() => stage.events.length === 4);
    stage.backend.fail(502);
    await stage.until(async () => (await stage.status()).state === 'Down');
    work(stage.backend);
    stage.backend.fail(undefined);
    await stage.until(() => missing(stage).length === 0);
  });

  it('over a sink that is down', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.apply(stage.bridge());
    await stage.reading();
    stage.sinkStatus = 503;
    await runJobs(stage, 20, 5, () => stage.backend.cut());
    await stage.until(() => stage.requests.length > 20);
    expect(stage.events).toEqual([]);
    stage.sinkStatus = undefined;
    await stage.until(() => missing(stage).length === 0);
  });

  it.each([[['websocket', 'list']], [['events']]] as const)(
    'over receivers that end, with %j',
    async (have) => {
      await using stage = await setStage({ have });
      stage.apply(stage.bridge());
      await stage.reading();
      await runJobs(stage, 40, 10, async () => {
        await stage.restart();
        enqueue(stage.backend);
        work(stage.backend);
      });
      await stage.until(() => missing(stage).length === 0);
      const repeats = stage.events.length - new Set(stage.events.map(({ id }) => id)).size;
      expect(repeats).toBe(0);
    },
  );

  it('once, as long as the backend tells nothing twice', async () => {
    await using stage = await setStage({ have: ['websocket', 'list'] });
    stage.apply(stage.bridge());
    await stage.reading();
    await runJobs(stage, 50, 60, () => undefined);
    await stage.until(() => missing(stage).length === 0);
    expect(stage.events).toHaveLength(stage.backend.log.length);
  });
});
