import { describe, expect, it } from 'vitest';
import { enqueue, setStage, work } from './stage.ts';

const TYPES = [
  'org.openjobspec.job.enqueued',
  'org.openjobspec.job.started',
  'org.openjobspec.job.completed',
];

describe('a bridge', () => {
  it.each([
    [['queues', 'list'], 'SSE, queue default', 'Reconciled'],
    [['websocket', 'list'], 'WebSocket, channel all', 'Reconciled'],
    [['websocket', 'channel'], 'WebSocket, channel events', 'NoReplay'],
    [['stream', 'websocket'], 'SSE, stream', 'NoReplay'],
    [['events'], 'Poll', 'CursorKept'],
  ] as const)(
    'finds out what a backend with %j has, and reads all that it tells',
    async (have, transport, reason) => {
      await using stage = await setStage({ have });
      stage.backend.jobs.pause('default', false);
      stage.apply(stage.bridge());
      const status = await stage.reading();
      expect(status).toMatchObject({ bridge: 'jobs/results', transport, lossless: { reason } });
      const id = enqueue(stage.backend);
      work(stage.backend);
      await stage.until(() => stage.events.length >= 3);
      expect(stage.events.map(({ type }) => type).sort()).toEqual([...TYPES].sort());
      const completed = stage.events.find(({ type }) => type === TYPES[2]);
      expect(completed).toMatchObject({
        source: '/ojs/backend/redis',
        subject: id,
        datacontenttype: 'application/json',
        signalboxorigin: expect.stringMatching(/^[0-9a-f]{16}$/),
        data: {
          job_type: 'email.send',
          queue: 'default',
          attempt: 1,
          result: { ok: true },
          duration_ms: expect.any(Number),
        },
      });
      expect((await stage.status()).counts).toMatchObject({ broken: 0, duplicates: 0 });
    },
  );

  it('asks the job for what an envelope lacks', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.apply(stage.bridge({ filters: ['job.discarded'] }));
    await stage.reading();
    const { jobs } = stage.backend;
    const id = jobs.enqueue(
      { type: 'email.send', args: [], options: { retry: { max_attempts: 1 } } },
      'default',
    )?.id;
    jobs.fetch([], 1);
    jobs.nack(id ?? '', { message: 'no such address' });
    await stage.until(() => stage.events.length === 1);
    expect(stage.events[0]).toMatchObject({
      data: { job_type: 'email.send', total_attempts: 1, last_error: { message: 'no such address' } },
    });
    expect((await stage.status()).counts).toMatchObject({ enriched: 1, unenriched: 0 });
  });

  it('says so where the backend has nothing, or is down, and reads once it is there', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.backend.fail(503);
    stage.apply(stage.bridge());
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/answered 503/);
    stage.backend.fail(undefined);
    await stage.reading();
    enqueue(stage.backend);
    await stage.until(() => stage.events.length === 1);
  });
});
