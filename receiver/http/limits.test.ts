import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { openStage, post, type Stage, signature } from '../testing.ts';
import { createAdmission } from './admission.ts';
import { answerError } from './answer.ts';
import { readBody } from './body.ts';
import { LISTENER_LIMITS, type Listener, type ListenerLimits, openListener } from './listener.ts';
import { watchSlowSenders } from './slow-senders.ts';

const sockets: Socket[] = [];
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function open(limits: Partial<ListenerLimits>): Promise<Listener> {
  const listener = await openListener(
    'public',
    { host: '127.0.0.1', port: 0 },
    (request, response) => {
      readBody(request, { limit: 1000 }, () => response.end('taken'));
      return true;
    },
    () => undefined,
    { limits: { ...LISTENER_LIMITS, ...limits } },
  );
  closers.push(() => listener.close(0));
  return listener;
}

/** Opens a connection and sends as it stands. */
async function dial(url: string, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that comes until the other side ends. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

const HEAD = 'POST / HTTP/1.1\r\nhost: x\r\n';

describe('a listener', () => {
  it('answers 431 to headers that are too large', async () => {
    const { url } = await open({ headerBytes: 2000 });
    expect(await heard(await dial(url, `${HEAD}x: ${'y'.repeat(3000)}\r\n\r\n`))).toMatch(/^HTTP\/1.1 431 /);
  });

  it('answers 408 to headers that do not come to an end', async () => {
    const { url } = await open({ headersMs: 100, requestMs: 200, checkEveryMs: 20 });
    expect(await heard(await dial(url, HEAD))).toMatch(/^HTTP\/1.1 408 /);
  });

  it('answers 408 to a body that does not come to an end', async () => {
    const { url } = await open({ headersMs: 100, requestMs: 200, checkEveryMs: 20 });
    expect(await heard(await dial(url, `${HEAD}content-length: 10\r\n\r\nhello`))).toMatch(/^HTTP\/1.1 408 /);
  });

  it('closes a connection that is one too many, and takes the next when one has gone', async () => {
    const { url } = await open({ connections: 2 });
    const first = await dial(url, HEAD);
    await dial(url, HEAD);
    const whole = `${HEAD}content-length: 2\r\nconnection: close\r\n\r\nhi`;
    expect(await heard(await dial(url, whole))).toBe('');
    first.destroy();
    let answer = '';
    // The server learns in its own time that the first has gone.
    while (answer === '') answer = await heard(await dial(url, whole));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('a slow sender', () => {
  it('is told so when its body has come too slowly for too long, and holds nobody’s place', async () => {
    const slow = watchSlowSenders({ everyMs: 1000, graceMs: 2000, bytesPerSecond: 100 });
    const admission = createAdmission({ places: 1, bytes: 1000 });
    let reading: (() => void) | undefined;
    const listener = await openListener(
      'public',
      { host: '127.0.0.1', port: 0 },
      (request, response) => {
        readBody(request, { limit: 1000, slow, admission }, (error) => {
          if (error !== undefined) answerError(response, error);
          else response.end('taken');
        });
        request.once('data', () => reading?.());
        return true;
      },
      () => undefined,
    );
    closers.push(() => listener.close(0));
    async function begun(body: string): Promise<Socket> {
      const started = new Promise<void>((resolve) => {
        reading = resolve;
      });
      const socket = await dial(listener.url, `${HEAD}content-length: 500\r\n\r\n${body}`);
      await started;
      return socket;
    }
    const late = await begun('x');
    const quick = await begun('x'.repeat(350));
    expect(admission.enter()).toBe(true);
    for (let second = 0; second < 3; second++) slow.sweep();
    expect(await heard(late)).toMatch(/^HTTP\/1.1 408 [^]*"code":"body_too_slow"/);
    quick.write('x'.repeat(150));
    const [answer] = (await once(quick.setEncoding('utf8'), 'data')) as [string];
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('a receiver', () => {
  let stage: Stage;
  async function opened(limits: Parameters<typeof endpointEntry>[0]): Promise<string> {
    const opening = await openStage();
    closers.push(() => opening.close());
    stage = opening;
    stage.apply(endpointEntry(limits), stage.toSink());
    return `${stage.receiver.addresses.public}/e/shop.hooks`;
  }
  const event = (id: string) => ({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/s',
    'ce-type': 't',
    'content-type': 'application/json',
  });

  it('takes as many proved requests as a rate allows, and counts nobody else', async () => {
    const url = await opened({ limits: { bodyBytes: 1000, rate: { requests: 2, perMs: 3_600_000 } } });
    for (let i = 0; i < 5; i++) expect((await post(url, '{}', event('x'))).status).toBe(401);
    const answers = [];
    for (const id of ['1', '2', '3'])
      answers.push(await post(url, '{}', { ...event(id), ...signature('{}') }));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 429]);
    const wait = Number(answers[2]?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(1700);
    expect(wait).toBeLessThanOrEqual(1800);
    expect(await stage.rejected('?code=rate_exceeded')).toMatchObject([{ key: 'current', status: 429 }]);
    await stage.delivered(2);
  });

  it('tells a sender that asks how many requests it may send a minute', async () => {
    const asked = async (rate?: { requests: number; perMs: number }) => {
      const url = await opened({ limits: { bodyBytes: 1000, ...(rate === undefined ? {} : { rate }) } });
      return (await fetch(url, { method: 'OPTIONS' })).headers.get('webhook-allowed-rate');
    };
    expect(await asked()).toBe('*');
    expect(await asked({ requests: 2, perMs: 1000 })).toBe('120');
    expect(await asked({ requests: 1, perMs: 3_600_000 })).toBe('1');
  });

  it('refuses a body that is too large, and says so in its record', async () => {
    const url = await opened({ limits: { bodyBytes: 10 } });
    const answer = await post(url, '{"a":"0123456789"}', event('1'));
    expect([answer.status, answer.json.error?.code]).toEqual([413, 'body_too_large']);
    expect(await stage.rejected()).toMatchObject([
      { entrance: 'WebhookSecret/shop/hooks', status: 413, code: 'body_too_large' },
    ]);
  });

  it('refuses JSON that is nested too deeply, however it comes', async () => {
    const url = await opened({});
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const envelope = (data: string) =>
      `{"specversion":"1.0","id":"s","source":"/s","type":"t","data":${data}}`;
    const structured = { 'content-type': 'application/cloudevents+json' };
    const send = (body: string, headers: Record<string, string>) =>
      post(url, body, { ...headers, ...signature(body) });
    expect((await send(deep(128), event('1'))).status).toBe(202);
    const refused = [
      await send(deep(129), event('2')),
      await send(deep(100_000), { 'content-type': 'application/json' }),
      await send(envelope(deep(129)), structured),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
    for (const { json } of refused) expect(json.error?.message).toContain('nested deeper than 128 levels');
    await stage.delivered(1);
  });

  it('refuses what it could not deliver before long, and takes events again once that has shrunk', async () => {
    const opening = await openStage({ maxBacklog: 2 });
    closers.push(() => opening.close());
    opening.apply(endpointEntry(), opening.toSink({ suspend: true }));
    const url = `${opening.receiver.addresses.public}/e/shop.hooks`;
    const send = (id: string) => post(url, 'x', { ...event(id), ...signature('x') });
    expect((await send('1')).status).toBe(202);
    expect((await send('2')).status).toBe(202);
    const refused = await send('3');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.json.error?.code).toBe('backlog_full');
    expect(await opening.rejected('?code=backlog_full')).toMatchObject([
      { entrance: 'WebhookSecret/shop/hooks' },
    ]);
    opening.apply(endpointEntry(), opening.toSink());
    await opening.delivered(2);
    await expect.poll(async () => (await send('3')).status, { timeout: 10_000 }).toBe(202);
    await opening.delivered(3);
  });

  it('records what Node refuses before there is a request, and a wrong method', async () => {
    await opened({});
    const { public: url, cluster } = stage.receiver.addresses;
    const large = `POST /e/shop.hooks HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`;
    expect(await heard(await dial(url, large))).toMatch(/^HTTP\/1.1 431 /);
    expect(await heard(await dial(cluster, 'NONSENSE s3cr3t\r\n\r\n'))).toMatch(/^HTTP\/1.1 400 /);
    expect((await fetch(`${url}/e/shop.hooks`)).status).toBe(405);
    expect((await fetch(`${url}/ojs/v1/cloudevents`, { method: 'PUT' })).status).toBe(405);
    const recorded = await stage.rejected();
    expect(recorded.map(({ status, code, entrance }) => [status, code, entrance])).toEqual([
      [405, 'method_not_allowed', ''],
      [405, 'method_not_allowed', 'WebhookSecret/shop/hooks'],
      [400, 'malformed_request', ''],
      [431, 'headers_too_large', ''],
    ]);
    expect(JSON.stringify(recorded)).not.toContain('s3cr3t');
  });

  it.each([
    ['public', '/e/shop.hooks/'],
    ['public', '/E/shop.hooks'],
    ['public', '/ojs/v1/cloudevents/'],
    ['cluster', '/triggers/shop/pack/'],
    ['cluster', '/Triggers/shop/pack'],
  ] as const)('finds nothing on the %s listener at %s', async (listener, path) => {
    await opened({});
    const dedup = { enabled: true, windowMs: 1000 };
    const from = { webhookSecrets: ['hooks'], eventBridges: [], cluster: { dedup } };
    stage.apply(endpointEntry(), stage.toSink({ name: 'pack', from }));
    const url = `${stage.receiver.addresses[listener]}${path}`;
    const { status, headers, json } = await post(url, '{}', {});
    expect([status, json.error?.code]).toEqual([404, 'not_found']);
    expect(headers.get('allow')).toBeNull();
  });

  it('records an address that leads nowhere', async () => {
    const url = await opened({});
    await post(url.replace('shop.hooks', 'shop.hoks?access_token=secret'), '{}', {});
    const [refusal] = await stage.rejected();
    expect(refusal).toMatchObject({ entrance: '', status: 404, code: 'no_such_endpoint' });
    expect(refusal?.cause).toContain('POST /e/shop.hoks:');
    expect(JSON.stringify(refusal)).not.toContain('secret');
  });
});
