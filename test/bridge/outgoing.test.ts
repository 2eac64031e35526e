import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { endpointEntry, POLICY, triggerEntry } from '../../receiver/routing/testing.ts';
import { enqueue, setStage, work } from './stage.ts';

/** What ours add to an event; the rest is as the specification's page has it. */
const OURS = /"(?:signalboxorigin|signalboxhops|ojssource)":"[^"]*",/g;
const BATCH = { events: 100, bytes: 1 << 20, waitMs: 50 };

describe('events as they leave', () => {
  it('are the interop page’s example, byte for byte', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.apply(stage.bridge({ filters: ['job.completed'] }));
    await stage.reading();
    // As a backend has it before the bridge.
    stage.backend.log.push({
      specversion: '1.0',
      id: 'evt_01961234-5678-7abc',
      type: 'job.completed',
      source: 'ojs://workers/1',
      time: '2026-02-15T10:30:00Z',
      subject: '01961234-5678-7abc-def0-123456789abc',
      data: { job_type: 'email.send', queue: 'default', duration_ms: 245 },
    });
    await stage.until(() => stage.requests.length === 1);
    const [request] = stage.requests;
    expect(request?.headers['content-type']).toBe('application/cloudevents+json');
    expect(request?.body).toContain('"ojssource":"ojs://workers/1"');
    expect(request?.body.replace(OURS, '')).toBe(
      '{"specversion":"1.0","type":"org.openjobspec.job.completed","source":"/ojs/backend/redis","id":"evt_01961234-5678-7abc","time":"2026-02-15T10:30:00Z","subject":"01961234-5678-7abc-def0-123456789abc","datacontenttype":"application/json","data":{"job_type":"email.send","queue":"default","duration_ms":245}}',
    );
  });

  it.each([
    ['one by one', POLICY],
    ['in batches', { ...POLICY, batch: BATCH }],
  ])('are signed over the bytes that leave, %s', async (_how, policy) => {
    await using stage = await setStage({ have: ['events'] });
    const { destination, ...sink } = stage.sink({ policy });
    const keys = [{ name: 'k', secret: Buffer.from('s3cr3t').toString('base64') }];
    const signed = { ...destination, sign: { scheme: 'Emporix', keys } };
    stage.apply(stage.bridge({ sink: { ...sink, destination: signed } }));
    await stage.reading();
    enqueue(stage.backend, 'x.y', 'a');
    await stage.until(() => stage.requests.length > 0);
    const [request] = stage.requests;
    const expected = createHmac('sha256', 's3cr3t')
      .update(request?.body ?? '')
      .digest('base64');
    expect(request?.headers['x-emporix-hmac']).toBe(expected);
  });

  it('are filtered by glob, queue and job type, prefixed and overridden', async () => {
    await using stage = await setStage({ have: ['events'] });
    const bridge = stage.bridge(
      {
        filters: ['*.enqueued'],
        typePrefix: 'com.example.',
        sourceUri: '/mine',
        extensions: { region: 'eu' },
      },
      { queues: ['a'], jobTypes: ['x.y'] },
    );
    stage.apply(bridge);
    await stage.reading();
    enqueue(stage.backend, 'x.y', 'b');
    enqueue(stage.backend, 'x.z', 'a');
    enqueue(stage.backend, 'x.y', 'a');
    work(stage.backend);
    await stage.until(async () => ((await stage.status()).counts?.messages ?? 0) >= 5);
    await stage.until(() => stage.events.length > 0);
    expect(stage.events).toHaveLength(1);
    expect(stage.events[0]).toMatchObject({
      type: 'com.example.job.enqueued',
      source: '/mine',
      region: 'eu',
    });
  });

  it('travel as headers and body', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.apply(stage.bridge({ sink: stage.sink({ shape: { sink: { format: 'binary' } } }) }));
    await stage.reading();
    enqueue(stage.backend);
    await stage.until(() => stage.events.length === 1);
    expect(stage.requests[0]?.headers).toMatchObject({
      'ce-type': 'org.openjobspec.job.enqueued',
      'content-type': 'application/json',
    });
    expect(stage.requests[0]?.body).toBe('{"job_type":"email.send","queue":"default"}');
  });

  it('are kept while the bridge is suspended, and delivered afterwards', async () => {
    await using stage = await setStage({ have: ['events'] });
    const bridge = stage.bridge();
    stage.apply({ ...bridge, suspend: true });
    await stage.reading();
    enqueue(stage.backend);
    await stage.until(async () => ((await stage.status()).counts?.events ?? 0) === 1);
    expect(stage.requests).toEqual([]);
    stage.apply(bridge);
    await stage.until(() => stage.events.length === 1);
  });
});

describe('batches', () => {
  it('hold up to a hundred events, and none is lost or told twice', async () => {
    await using stage = await setStage({ have: ['events'] });
    stage.apply(stage.bridge({ sink: stage.sink({ policy: { ...POLICY, batch: BATCH } }) }));
    await stage.reading();
    for (let i = 0; i < 250; i++) enqueue(stage.backend);
    await stage.until(() => stage.events.length >= 250);
    expect(stage.requests[0]?.headers['content-type']).toBe('application/cloudevents-batch+json');
    const sizes = stage.requests.map(({ body }) => (JSON.parse(body) as unknown[]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(stage.requests.length).toBeLessThan(20);
    expect(new Set(stage.events.map(({ id }) => id)).size).toBe(250);
    const { items } = await stage.api('deliveries?state=delivered&limit=1000');
    expect(items).toHaveLength(250);
    expect(items[0]).toMatchObject({ trigger: 'EventBridge/jobs/results', attempts: [{ status: 202 }] });
  });

  it('end at their bytes', async () => {
    await using stage = await setStage({ have: ['events'] });
    const batch = { ...BATCH, bytes: 2000, waitMs: 20 };
    stage.apply(stage.bridge({ sink: stage.sink({ policy: { ...POLICY, batch } }) }));
    await stage.reading();
    for (let i = 0; i < 20; i++) enqueue(stage.backend);
    await stage.until(() => stage.events.length >= 20);
    for (const { body } of stage.requests) expect(body.length).toBeLessThanOrEqual(2000);
  });

  it('that fail are tried again; of one that is refused, only the event at fault is a dead letter', async () => {
    await using stage = await setStage({ have: ['events'] });
    const policy = { ...POLICY, backoffDelayMs: 10, batch: BATCH };
    stage.apply(stage.bridge({ sink: stage.sink({ policy }) }));
    await stage.reading();
    stage.answers.push(503);
    for (let i = 0; i < 10; i++) enqueue(stage.backend);
    await stage.until(() => stage.events.length >= 10);
    // The whole, its first half, and that half's first half are refused; one event of two is what the sink does not take.
    const before = stage.events.length;
    stage.answers.push(400, 400, 202, 400, 202);
    for (let i = 0; i < 4; i++) enqueue(stage.backend);
    await stage.until(async () => {
      const dead = (await stage.api('dead-letters')).items;
      return stage.events.length + dead.length >= before + 4;
    });
    expect((await stage.api('dead-letters')).items).toHaveLength(1);
    expect(stage.events).toHaveLength(before + 3);
  });
});

describe('triggers', () => {
  it('read from a bridge that has no sink', async () => {
    await using stage = await setStage({ have: ['events'] });
    const { sink: _, ...alone } = stage.bridge();
    const { shape, destination, policy } = stage.sink();
    const trigger = triggerEntry({
      namespace: 'jobs',
      name: 'inspect',
      from: { webhookSecrets: [], eventBridges: ['results'] },
      filters: [{ exact: { type: 'org.openjobspec.job.completed' } }],
      shape,
      destination,
      policy,
    });
    stage.apply(alone, trigger);
    await stage.reading();
    enqueue(stage.backend);
    work(stage.backend);
    await stage.until(() => stage.events.length === 1);
    const { items } = await stage.api('events?trigger=jobs/inspect');
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      entrance: 'EventBridge/jobs/results',
      record: { triggers: ['jobs/inspect'] },
    });
  });

  it('make no job of what comes from the same backend, by whatever name and way, unless they may', async () => {
    await using stage = await setStage({ have: ['events'] });
    await using other = await setStage({ have: ['websocket', 'list'] });
    const { sink: _, ...alone } = stage.bridge();
    const url = stage.backend.url.replace('127.0.0.1', 'localhost').replace('http', 'HTTP');
    const back = (name: string, over: Parameters<typeof triggerEntry>[0]) =>
      triggerEntry({
        namespace: 'jobs',
        name,
        from: { webhookSecrets: [], eventBridges: ['results'] },
        filters: [{ exact: { type: 'org.openjobspec.job.completed' } }],
        shape: {
          map: { type: { value: 'renamed' }, source: { value: '/else' } },
          job: { type: 'job.inspect' },
        },
        destination: { kind: 'job', url: `${url}/`, headers: [] },
        policy: POLICY,
        ...over,
      });
    const away = back('away', { destination: { kind: 'job', url: other.backend.url, headers: [] } });
    stage.apply(alone, back('back', {}), away);
    await stage.reading();
    enqueue(stage.backend);
    work(stage.backend);
    await stage.until(async () => (await stage.api('dead-letters')).items.length === 1);
    expect((await stage.api('dead-letters')).items[0]).toMatchObject({
      trigger: 'jobs/back',
      reason: expect.stringMatching(/spec\.target\.job: .*loop.*allowLoop/),
    });
    await stage.until(() => other.backend.jobs.list().length === 1);

    // Round about by the other backend: its job says where it came from, and so do that job's events.
    const { sink: __, ...theirs } = other.bridge();
    other.apply(theirs, back('home', {}));
    await other.reading();
    work(other.backend);
    await other.until(async () => (await other.api('dead-letters')).items.length === 1);
    expect(stage.backend.jobs.list()).toHaveLength(1);

    const allowed = back('back', { destination: { kind: 'job', url, headers: [], allowLoop: true } });
    stage.apply(alone, {
      ...allowed,
      filters: [
        { exact: { type: 'org.openjobspec.job.enqueued' } },
        { exact: { subject: enqueue(stage.backend) } },
      ],
    });
    await stage.until(() => stage.backend.jobs.list().length === 3);
  });
});

describe('a backend that calls', () => {
  it('is believed by its signature, and each event is taken once', async () => {
    await using stage = await setStage({ have: [] });
    const hooks = endpointEntry({ namespace: 'jobs', name: 'calls', source: 'calls', scheme: 'OJS' });
    stage.apply(stage.bridge({}, { transport: 'Webhook', webhookSecret: 'calls' }), hooks);
    expect((await stage.reading()).lossless).toMatchObject({ reason: 'BackendRetries' });
    enqueue(stage.backend);
    const body = JSON.stringify(stage.backend.log[0]);
    const call = (signature: string, timestamp: string, text = body) =>
      fetch(`${stage.receiver().addresses.public}/e/calls`, {
        method: 'POST',
        body: text,
        headers: {
          'x-ojs-signature': signature,
          'x-ojs-timestamp': timestamp,
          'content-type': 'application/json',
        },
      });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const sign = (text: string) =>
      createHmac('sha256', 's3cr3t').update(`${timestamp}.${text}`).digest('hex');
    expect((await call('sha256=00', timestamp)).status).toBe(401);
    expect((await call(`sha256=00,sha256=${sign(body)}`, timestamp)).status).toBe(202);
    expect((await call(`sha256=${sign(body)}`, timestamp)).status).toBe(202);
    expect((await call(`sha256=${sign('{}')}`, timestamp, '{}')).status).toBe(400);
    await stage.until(() => stage.events.length === 1);
    expect(stage.events[0]).toMatchObject({
      type: 'org.openjobspec.job.enqueued',
      ojssource: 'ojs://signalbox-listen',
    });
    expect((await stage.api('events')).items).toHaveLength(1);
  });
});
