import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { featuresOf } from '../../cli/listen/backend/features.ts';
import { serveBackend } from '../../cli/listen/backend/serve.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

describeWithServer('a bridge, on a real API server', (server) => {
  test('reads, tells how, and says so when its backend is away', async () => {
    await using stage = await setStage(server);
    const backend = await serveBackend(
      { host: '127.0.0.1', port: 0 },
      {
        features: featuresOf(['queues', 'websocket', 'list']),
        cutMs: 0,
        dropEvery: 0,
        token: 'ojs-token',
        now: () => new Date(),
        id: randomUUID,
      },
    );
    try {
      // The first address is the backend's to read from; the others are the stage's target.
      const example = (await stage.example('ojs-bridge.yaml')).replace(/uri: http\S+/, `uri: ${backend.url}`);
      await stage.apply(example);
      await stage.live('eb/job-results', 'et/retry-elsewhere');
      const status = async (path: string) =>
        stage.kubectl(['get', 'eb/job-results', '-o', `jsonpath={.status.${path}}`]);
      const lossless = 'conditions[?(@.type=="Lossless")].reason';
      await expect.poll(() => status('transport'), { timeout: 60_000 }).toBe('WebSocket, channel all');
      await expect.poll(() => status(lossless), { timeout: 60_000 }).toBe('Reconciled');
      expect(await status('sourceUri')).toBe(`${backend.url}/`);

      const run = (type: string): string => {
        const job = backend.jobs.enqueue({ type, args: [] }, 'default');
        backend.jobs.fetch([], 10);
        return job?.id ?? '';
      };
      const done = run('email.send');
      backend.jobs.ack(done, { sent: 3 });
      const { event } = await stage.arrivals.next(({ path }) => path === '/cloudevents');
      expect(event?.attributes).toMatchObject({
        type: 'org.openjobspec.job.completed',
        subject: done,
        region: 'eu',
      });
      expect(JSON.parse(event?.data?.toString() ?? '')).toMatchObject({ result: { sent: 3 }, attempt: 1 });

      const failed = run('email.send');
      backend.jobs.nack(failed, { message: 'no' });
      const { job } = await stage.arrivals.next(({ job: arrived }) => arrived?.type === 'job.inspect');
      expect(job?.meta).toMatchObject({ trigger_subject: failed });

      backend.fail(503);
      await stage.kubectl(['wait', '--for=condition=Ready=false', '--timeout=60s', 'eb/job-results']);
      expect(await status('conditions[?(@.type=="Ready")].message')).toMatch(/^spec\.source: ./);
      const missed = run('email.send');
      backend.jobs.ack(missed, null);
      backend.fail(undefined);
      await stage.live('eb/job-results');
      await stage.arrivals.next((one) => one.event?.attributes['subject'] === missed);
    } finally {
      await backend.stop();
    }
  });

  test('is not Ready where what it names is not there, and neither is who reads from it', async () => {
    await using stage = await setStage(server);
    const [bridge = '', trigger = ''] = (await stage.example('ojs-bridge.yaml')).split('---');
    const message = async (name: string) =>
      stage.kubectl(['get', name, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}']);
    await stage.apply(trigger);
    await expect
      .poll(() => message('et/retry-elsewhere'), { timeout: 60_000 })
      .toMatch(/EventBridge "job-results"/);
    await stage.apply(bridge);
    await stage.live('et/retry-elsewhere');
    expect(await message('eb/job-results')).toMatch(/Secret "ojs" does not exist/);
    await stage.kubectl(['delete', 'eb/job-results']);
    await stage.kubectl(['wait', '--for=condition=Ready=false', '--timeout=60s', 'et/retry-elsewhere']);
  });
});
