import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from './observe/log.ts';
import { createReceiver, type Receiver, type ReceiverOptions } from './receiver.ts';
import type { Entry } from './routing/table.ts';
import { endpointEntry, POLICY, triggerEntry } from './routing/testing.ts';

const BODY = '{"orderId":"EON1075",  "amount":49.990}';
const FREE = { host: '127.0.0.1', port: 0 };

interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let directory: string;
let sink: Server;
let sinkUrl: string;
let sinkStatus: number;
let arrived: Arrived[];
let arrival: (() => void) | undefined;
let receiver: Receiver;
const logged: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-receiver-'));
  arrived = [];
  sinkStatus = 202;
  sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(sinkStatus).end();
      arrived.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      arrival?.();
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  sinkUrl = `http://127.0.0.1:${(sink.address() as { port: number }).port}`;
  receiver = await open();
});

afterEach(async () => {
  await receiver.close();
  sink.closeAllConnections();
  sink.close();
  await rm(directory, { recursive: true });
});

function open(more: Pick<ReceiverOptions, 'rejected'> = {}): Promise<Receiver> {
  return createReceiver({
    dataDirectory: directory,
    public: FREE,
    cluster: FREE,
    admin: FREE,
    adminToken: 'admin-t0ken',
    egress: { allowLoopback: true },
    log: createLog('debug', { write: (line: string) => void logged.push(line) }),
    now: Date.now,
    random: Math.random,
    ...more,
  });
}

let revision = 0;
function apply(...entries: Entry[]): void {
  revision += 1;
  receiver.apply({ version: 1, revision, entries });
}

function toSink(over: Parameters<typeof triggerEntry>[0] = {}) {
  return triggerEntry({ destination: { kind: 'sink', url: `${sinkUrl}/in`, headers: [] }, ...over });
}

/** Resolves when the sink has taken so many requests in all. */
async function delivered(count: number): Promise<readonly Arrived[]> {
  while (arrived.length < count) {
    await new Promise<void>((resolve) => {
      arrival = resolve;
    });
  }
  return arrived;
}

function signed(body: string): string {
  return createHmac('sha256', 's3cr3t').update(body).digest('base64');
}

async function send(
  more: {
    id?: string | null;
    body?: string;
    headers?: Record<string, string>;
    path?: string;
    method?: string;
  } = {},
) {
  const { id = 'evt-1', body = BODY, headers = {}, path = '/e/shop.hooks', method = 'POST' } = more;
  const response = await fetch(receiver.addresses.public + path, {
    method,
    headers: {
      'ce-specversion': '1.0',
      'ce-type': 'order.created',
      'ce-source': '/shop',
      ...(id === null ? {} : { 'ce-id': id }),
      'content-type': 'application/json',
      'x-emporix-hmac': signed(body),
      ...headers,
    },
    ...(method === 'POST' ? { body } : {}),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? (JSON.parse(text) as Answer) : undefined,
  };
}

interface Answer {
  readonly events?: readonly {
    id: string;
    duplicate: boolean;
    differs?: boolean;
    triggers: readonly string[];
  }[];
  readonly error?: { readonly code: string; readonly message: string };
}

describe('a receiver', () => {
  it('refuses with 503, and never with 404, until its first table is in force', async () => {
    const before = await send();
    expect(before.status).toBe(503);
    expect(before.headers.get('retry-after')).toBe('1');
    apply(endpointEntry(), toSink());
    expect((await send()).status).toBe(202);
  });

  it('takes a signed event and forwards it, byte for byte', async () => {
    apply(endpointEntry(), toSink());
    const answer = await send({ headers: { 'ce-region': 'eu', 'ce-subject': 'M%C3%BCnchen' } });
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({
      events: [{ source: '/shop', id: 'evt-1', duplicate: false, triggers: ['shop/forward'], instances: [] }],
    });
    const [event] = await delivered(1);
    expect(event?.path).toBe('/in');
    expect(event?.body).toBe(BODY);
    expect(event?.headers).toMatchObject({
      'ce-id': 'evt-1',
      'ce-type': 'order.created',
      'ce-source': '/shop',
      'ce-region': 'eu',
      'ce-subject': 'M%C3%BCnchen',
      'content-type': 'application/json',
    });
    expect(event?.headers['idempotency-key']).toMatch(/^[\w-]{16,}$/);
  });

  it('starts a job at a backend', async () => {
    const job = triggerEntry({
      shape: {
        job: { type: 'order.pack', args: { jsonPath: ['$.data.orderId'] }, options: { queue: 'packing' } },
      },
      destination: {
        kind: 'job',
        url: sinkUrl,
        headers: [{ name: 'authorization', value: 'Bearer backend-t0ken' }],
      },
    });
    apply(endpointEntry(), job);
    sinkStatus = 201;
    await send();
    const [request] = await delivered(1);
    expect(request?.path).toBe('/ojs/v1/jobs');
    expect(request?.headers['authorization']).toBe('Bearer backend-t0ken');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'order.pack',
      args: ['EON1075'],
      options: { queue: 'packing' },
      meta: { trigger_event_id: 'evt-1', trigger_source: '/shop' },
    });
  });

  it('answers a repeat with the first result and runs nothing twice', async () => {
    apply(endpointEntry(), toSink());
    await send();
    const repeat = await send();
    expect(repeat.status).toBe(202);
    expect(repeat.json?.events?.[0]).toMatchObject({ duplicate: true, triggers: ['shop/forward'] });
    expect(repeat.json?.events?.[0]).not.toHaveProperty('differs');
    const other = await send({ body: '{"orderId":"other"}' });
    expect(other.json?.events?.[0]).toMatchObject({ duplicate: true, differs: true });
    await send({ id: 'evt-2' });
    expect((await delivered(2)).map(({ headers }) => headers['ce-id'])).toEqual(['evt-1', 'evt-2']);
  });

  it('matches an event anew that nobody wanted when it first came', async () => {
    apply(endpointEntry(), toSink({ filters: [{ exact: { type: 'order.deleted' } }] }));
    const unwanted = await send();
    expect(unwanted.status).toBe(202);
    expect(unwanted.json?.events?.[0]).toMatchObject({ duplicate: false, triggers: [] });
    apply(endpointEntry(), toSink());
    expect((await send()).json?.events?.[0]).toMatchObject({ duplicate: false, triggers: ['shop/forward'] });
    await delivered(1);
  });

  it('looks the same for every cause of a wrong signature', async () => {
    apply(endpointEntry(), toSink());
    const refusals = [
      await send({ headers: { 'x-emporix-hmac': signed(`${BODY} `) } }),
      await send({ headers: { 'x-emporix-hmac': 'not base64!' } }),
      await send({ headers: { 'x-emporix-hmac': '' } }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(refusals.map(({ text }) => text)).size).toBe(1);
    expect(arrived).toEqual([]);
  });

  it('names what is wrong with a request', async () => {
    apply(endpointEntry({ limits: { bodyBytes: 100 } }), toSink());
    const cases = [
      [await send({ id: null }), 400, 'invalid_event', / id /],
      [await send({ body: `"${'x'.repeat(200)}"` }), 413, 'body_too_large', /100 bytes/],
      [await send({ path: '/e/unknown' }), 404, 'no_such_endpoint', /no such endpoint/],
      [await send({ path: '/elsewhere' }), 404, 'not_found', /\/e\/\{source\}/],
      [await send({ method: 'GET' }), 405, 'method_not_allowed', /POST/],
      [
        await send({ headers: { 'content-type': 'application/cloudevents+avro' } }),
        415,
        'unsupported_media_type',
        /json/,
      ],
    ] as const;
    for (const [answer, status, code, message] of cases) {
      expect(answer.json?.error).toMatchObject({ code });
      expect(answer.status).toBe(status);
      expect(answer.json?.error?.message).toMatch(message);
    }
  });

  it('says that an endpoint without keys cannot verify, so that the sender sends again', async () => {
    apply(endpointEntry({ keys: [], cannotVerify: 'Secret shop/hooks does not exist' }), toSink());
    const answer = await send();
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.text).not.toContain('hooks does not exist');
  });

  it('lets a sender ask first', async () => {
    apply(endpointEntry(), toSink());
    const response = await fetch(`${receiver.addresses.public}/e/shop.hooks`, {
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'sender.example' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('webhook-allowed-origin')).toBe('sender.example');
    expect(response.headers.get('allow')).toContain('POST');
  });

  it('takes a Broker’s event at a trigger’s own address with an empty 202, and at no other trigger’s', async () => {
    const cluster = { dedup: { enabled: true, windowMs: 60_000 } };
    apply(
      endpointEntry(),
      toSink(),
      toSink({ name: 'inside', from: { webhookSecrets: [], eventBridges: [], cluster } }),
    );
    const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/broker', 'ce-id': 'b-1' };
    const inside = `${receiver.addresses.cluster}/triggers/shop/inside`;
    const first = await fetch(inside, { method: 'POST', headers });
    expect([first.status, await first.text()]).toEqual([202, '']);
    const repeat = await fetch(inside, { method: 'POST', headers });
    expect(repeat.status).toBe(202);
    const outside = await fetch(`${receiver.addresses.cluster}/triggers/shop/forward`, {
      method: 'POST',
      headers,
    });
    expect(outside.status).toBe(404);
    // The same event by another entrance is a new acceptance.
    await send({ id: 'b-1', headers: { 'ce-source': '/broker', 'ce-type': 't' } });
    expect(await delivered(2)).toHaveLength(2);
    const twice = await fetch(inside, { method: 'POST', headers: { ...headers, 'ce-id': 'b-2' } });
    expect(twice.status).toBe(202);
    expect(await delivered(3)).toHaveLength(3);
  });

  it('delivers after a restart what it acknowledged before, under the same key', async () => {
    sinkStatus = 500;
    apply(endpointEntry(), toSink({ policy: { ...POLICY, backoffDelayMs: 50 } }));
    await send();
    const key = (await delivered(1))[0]?.headers['idempotency-key'];
    await receiver.close();
    sinkStatus = 202;
    receiver = await open();
    const seen = arrived.length;
    apply(endpointEntry(), toSink());
    expect((await delivered(seen + 1)).at(-1)?.headers['idempotency-key']).toBe(key);
  });

  it('lists after a restart what it refused before, and until its retention is over', async () => {
    const refused = async (query = '') => {
      const response = await fetch(`${receiver.addresses.admin}/api/rejected${query}`, {
        headers: { authorization: 'Bearer admin-t0ken' },
      });
      return (await response.json()) as { items: { event?: string }[]; next?: string; error?: unknown };
    };
    apply(endpointEntry(), toSink());
    for (const id of ['evt-1', 'evt-2', 'evt-3']) {
      const answer = await send({ id, headers: { 'x-emporix-hmac': 'guess' } });
      expect(answer.status).toBe(401);
    }
    const before = await refused();
    expect(before.items).toHaveLength(3);
    expect(before.items).toMatchObject([{ entrance: 'WebhookSecret/shop/hooks', status: 401 }, {}, {}]);
    await receiver.close();
    receiver = await open();
    expect(await refused()).toEqual(before);
    const { next = '', items } = await refused('?limit=2');
    expect([...items, ...(await refused(`?cursor=${next}`)).items]).toEqual(before.items);
    expect((await refused('?cursor=2')).error).toMatchObject({
      message: expect.stringContaining('`cursor`'),
    });
    await receiver.close();
    receiver = await open({ rejected: { keepMs: 0 } });
    expect((await refused()).items).toEqual([]);
  });

  it('follows a new table at once: another target, a revoked key, a deleted route', async () => {
    apply(endpointEntry(), toSink());
    await send();
    apply(endpointEntry(), toSink({ destination: { kind: 'sink', url: `${sinkUrl}/moved`, headers: [] } }));
    await send({ id: 'evt-2' });
    expect((await delivered(2)).map(({ path }) => path)).toEqual(['/in', '/moved']);
    apply(
      endpointEntry({ keys: [{ name: 'next', secret: Buffer.from('another').toString('base64') }] }),
      toSink(),
    );
    expect((await send({ id: 'evt-3' })).status).toBe(401);
    apply();
    expect((await send({ id: 'evt-4' })).status).toBe(404);
  });

  it('tells its state on the admin port, to whoever holds the token', async () => {
    const admin = receiver.addresses.admin;
    const authorized = { headers: { authorization: 'Bearer admin-t0ken' } };
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    apply(endpointEntry(), toSink());
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    expect((await fetch(`${admin}/api/routing`)).status).toBe(401);
    expect((await fetch(`${admin}/api/routing`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(
      401,
    );
    expect(await (await fetch(`${admin}/api/routing`, authorized)).json()).toEqual({ revision });
    const waiting = fetch(`${admin}/api/routing?atLeast=${revision + 1}&waitMs=20000`, authorized);
    apply(endpointEntry());
    expect(await (await waiting).json()).toEqual({ revision });
    await send();
    const events = (await (await fetch(`${admin}/api/events?id=evt-1`, authorized)).json()) as {
      items: unknown[];
    };
    expect(events.items).toHaveLength(1);
    expect(events.items[0]).toMatchObject({
      entrance: 'WebhookSecret/shop/hooks',
      record: { key: 'current', triggers: [] },
    });
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('signalbox_events_accepted_total{outcome="unmatched"} 1');
    expect(metrics).toContain(`signalbox_routing_revision ${revision}`);
  });

  it('never shows a secret', async () => {
    apply(
      endpointEntry(),
      toSink({
        destination: { kind: 'sink', url: `${sinkUrl}/in`, headers: [{ name: 'x-key', value: 'sink-p4ss' }] },
      }),
    );
    await send();
    await send({ id: 'evt-2', headers: { 'x-emporix-hmac': 'wrong' } });
    expect((await delivered(1))[0]?.headers['x-key']).toBe('sink-p4ss');
    const authorized = { headers: { authorization: 'Bearer admin-t0ken' } };
    const shown = await Promise.all(
      ['/metrics', '/api/events', '/api/deliveries'].map(async (path) =>
        (await fetch(receiver.addresses.admin + path, authorized)).text(),
      ),
    );
    for (const text of [...shown, ...logged]) {
      for (const secret of ['s3cr3t', 'sink-p4ss', 'admin-t0ken', Buffer.from('s3cr3t').toString('base64')]) {
        expect(text).not.toContain(secret);
      }
    }
  });
});
