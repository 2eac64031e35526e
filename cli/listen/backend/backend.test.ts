import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { FEATURES, featuresOf } from './features.ts';
import { type ServedBackend, serveBackend } from './serve.ts';

let backend: ServedBackend | undefined;

afterEach(async () => {
  await backend?.stop();
});

async function open(have: Parameters<typeof featuresOf>[0], over: object = {}): Promise<ServedBackend> {
  backend = await serveBackend(
    { host: '127.0.0.1', port: 0 },
    { features: featuresOf(have), cutMs: 0, dropEvery: 0, now: () => new Date(), id: randomUUID, ...over },
  );
  return backend;
}

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/openjobspec+json' };
  const response = await fetch(`${backend?.url}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('the backend', () => {
  it('takes jobs, gives them to workers, and keeps their events', async () => {
    await open(['events', 'list']);
    const job = {
      id: 'mine',
      type: 'email.send',
      args: [1],
      meta: { a: 1 },
      options: { queue: 'mail', unique: { key: ['meta'] } },
    };
    const first = await call('POST', '/ojs/v1/jobs', job);
    // A client's id is overwritten, and `unique` ignored.
    const second = await call('POST', '/ojs/v1/jobs', job);
    expect([first.status, second.status]).toEqual([201, 201]);
    const { id } = first.json['job'] as { id: string };
    expect(id).not.toBe('mine');
    const { json } = await call('POST', '/ojs/v1/workers/fetch', { queues: ['mail'], count: 1 });
    expect(json['jobs']).toMatchObject([{ id, state: 'active', attempt: 1 }]);
    expect((await call('POST', '/ojs/v1/workers/ack', { job_id: id, result: { n: 1 } })).status).toBe(200);
    expect((await call('GET', `/ojs/v1/jobs/${id}`)).json['job']).toMatchObject({
      state: 'completed',
      result: { n: 1 },
    });

    const page = (await call('GET', '/ojs/v1/events?limit=3')).json;
    expect(page).toMatchObject({
      cursor: '3',
      has_more: true,
      events: [{ type: 'job.enqueued' }, { type: 'job.enqueued' }, { type: 'job.started' }],
    });
    expect((await call('GET', '/ojs/v1/events?after=3')).json).toMatchObject({
      has_more: false,
      events: [{ type: 'job.completed', subject: id, data: { attempt: 1, result: { n: 1 } } }],
    });
    expect((await call('GET', '/ojs/v1/events?after=99')).status).toBe(400);
    const list = (await call('GET', '/ojs/v1/admin/jobs?per_page=1')).json;
    expect(list).toMatchObject({
      items: [{ state: 'available' }],
      pagination: { total: 2, page: 1, per_page: 1 },
    });
  });

  it('answers 409 for a paused queue, and lets a job fail until it is discarded', async () => {
    const { jobs } = await open(['events']);
    await call('POST', '/ojs/v1/queues/default/pause');
    const refused = await call('POST', '/ojs/v1/jobs', { type: 'a', args: [] });
    expect(refused).toMatchObject({
      status: 409,
      json: { error: { code: 'queue_paused', retryable: true } },
    });
    await call('POST', '/ojs/v1/queues/default/resume');
    await call('POST', '/ojs/v1/jobs', { type: 'a', args: [], options: { retry: { max_attempts: 2 } } });
    for (let i = 0; i < 2; i++) for (const { id } of jobs.fetch([], 1)) jobs.nack(id, { message: 'no' });
    expect(backend?.log.map(({ type }) => type)).toEqual([
      'job.enqueued',
      'job.started',
      'job.failed',
      'job.retrying',
      'job.started',
      'job.failed',
      'job.discarded',
    ]);
  });

  it('has what it is told to have, and nothing else', async () => {
    await open([]);
    for (const path of [
      '/ojs/v1/events',
      '/ojs/v1/events/stream',
      '/ojs/v1/admin/jobs',
      '/ojs/v1/queues/q/events',
    ])
      expect((await call('GET', path)).status).toBe(404);
    expect(featuresOf(FEATURES)).toEqual(Object.fromEntries(FEATURES.map((name) => [name, true])));
  });

  it('wants its token', async () => {
    await open(['events'], { token: 't' });
    expect((await call('GET', '/ojs/v1/events')).status).toBe(401);
  });

  it('streams state changes with counters for ids, drops what it is told to, and cuts', async () => {
    const { jobs } = await open(['queues', 'jobs'], { dropEvery: 2, cutMs: 200 });
    jobs.pause('default', false);
    const response = await fetch(`${backend?.url}/ojs/v1/queues/default/events`);
    const job = jobs.enqueue({ type: 'a', args: [] }, 'default');
    jobs.fetch([], 1);
    jobs.ack(job?.id ?? '', 1);
    let text = '';
    await (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    expect(text).toMatch(
      /^retry: 3000\n\nid: evt_0001\nevent: job\.state_changed\ndata: {"event":"job\.state_changed","job_id":/,
    );
    expect(text.match(/^id: /gm)).toHaveLength(2);
    expect(text).not.toContain('"to":"active"');
    const ended = await (await fetch(`${backend?.url}/ojs/v1/jobs/${job?.id}/events`)).text();
    expect(ended).toContain('"from":"completed","to":"completed"');
  });
});
