import { describe, expect, it } from 'vitest';
import { type ClientOptions, createClient } from './client.ts';
import type { Lookup } from './connector.ts';
import { type Answer, type Failure, type OutboundRequest, systemTimer } from './outbound.ts';
import { answering, type Behaviour, startTarget } from './testing.ts';

interface Came {
  readonly answer: Answer | undefined;
  readonly failure: Failure | undefined;
}

function makeClient(options: Partial<ClientOptions> = {}) {
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer, ...options });
  const post = (url: string, more: Partial<OutboundRequest> = {}): Promise<Came> =>
    new Promise((resolve) => {
      const destination = { kind: 'sink', url, headers: [] } as const;
      const request = {
        destination,
        path: '',
        headers: {},
        body: Buffer.from('x'),
        timeoutMs: 10_000,
        ...more,
      };
      client.post(request, (answer, failure) => resolve({ answer, failure }));
    });
  return { client, post, [Symbol.asyncDispose]: () => client.close() };
}

async function once(
  behave: Behaviour,
  more: Partial<OutboundRequest> = {},
  options: Partial<ClientOptions> = {},
) {
  await using target = await startTarget(behave);
  await using made = makeClient(options);
  return { ...(await made.post(target.url, more)), received: target.received };
}

/** A resolver that knows one set of addresses for every name. */
function resolvingTo(...addresses: readonly string[]): Lookup {
  return (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}

describe('a request', () => {
  it("carries path, query, body and headers; the destination's headers win", async () => {
    await using target = await startTarget(answering(201, { 'x-a': 'b' }, 'hello'));
    await using made = makeClient();
    const headers = [
      { name: 'Authorization', value: 'Bearer t' },
      { name: 'Content-Type', value: 'text/b' },
    ];
    const destination = { kind: 'job', url: `${target.url}/?q=1`, headers } as const;
    const { answer } = await made.post('', {
      destination,
      path: '/ojs/v1/jobs',
      headers: { 'content-type': 'text/a', 'ce-id': '1' },
    });
    expect(answer).toMatchObject({ status: 201, headers: { 'x-a': 'b' } });
    expect(answer?.body.toString()).toBe('hello');
    const [got] = target.received;
    expect(got?.path).toBe('/in/ojs/v1/jobs?q=1');
    expect(got?.headers).toMatchObject({
      authorization: 'Bearer t',
      'content-type': 'text/b',
      'ce-id': '1',
      'user-agent': 'signalbox',
    });
    expect(got?.body.toString()).toBe('x');
  });

  it('reuses connections', async () => {
    const ports = new Set<number | undefined>();
    await using target = await startTarget((response) => {
      ports.add(response.socket?.remotePort);
      response.end();
    });
    await using made = makeClient();
    for (let i = 0; i < 5; i++) await made.post(target.url);
    expect(ports.size).toBe(1);
  });

  it('is never redirected', async () => {
    await using elsewhere = await startTarget(answering(200));
    const { answer } = await once(answering(307, { location: elsewhere.url }));
    expect(answer?.status).toBe(307);
    expect(elsewhere.received).toHaveLength(0);
  });
});

describe('a target that misbehaves', () => {
  it('and hangs is left when the time is up', async () => {
    const { failure } = await once(() => {}, { timeoutMs: 100 });
    expect(failure?.code).toBe('Timeout');
  });

  it('and drips is left when the time is up, however lively it seems', async () => {
    const { failure } = await once(
      (response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write('.'), 10);
        response.once('close', () => clearInterval(drip));
      },
      { timeoutMs: 150 },
    );
    expect(failure?.code).toBe('Timeout');
  });

  it('and resets, before or within its answer, is a failure', async () => {
    const before = await once((response) => response.socket?.resetAndDestroy());
    expect(before.failure).toMatchObject({ code: 'NoAnswer' });
    const within = await once((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.socket?.destroy());
    });
    expect(within.failure).toMatchObject({ code: 'NoAnswer' });
  });

  it.each([{}, { connection: 'close' }])(
    'and answers a megabyte is cut off at the limit (%j)',
    async (headers) => {
      const { answer } = await once(answering(200, headers, 'y'.repeat(1024 * 1024)));
      expect(answer).toMatchObject({ status: 200 });
      expect(answer?.body.length).toBe(64 * 1024);
    },
  );

  it('and speaks no HTTP is a failure', async () => {
    const { failure } = await once((response) => response.socket?.end('SSH-2.0-nonsense\r\n'));
    expect(failure?.code).toBe('NoAnswer');
  });

  it('and is not there is a failure that says so', async () => {
    const target = await startTarget(answering(200));
    await target[Symbol.asyncDispose]();
    await using made = makeClient();
    const { failure } = await made.post(target.url);
    expect(failure).toEqual({ code: 'NoAnswer', message: 'the connection was refused (ECONNREFUSED)' });
  });
});

describe('egress', () => {
  it('refuses a literal address', async () => {
    const { failure, received } = await once(answering(200), {}, { egress: {} });
    expect(failure).toMatchObject({
      code: 'EgressRefused',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ is a loopback address$/),
    });
    expect(received).toHaveLength(0);
  });

  it.each([['127.0.0.1'], ['10.0.0.1', '::ffff:127.0.0.1'], ['169.254.169.254']])(
    'refuses a name that resolves to %s',
    async (...addresses) => {
      await using target = await startTarget(answering(200));
      await using made = makeClient({ egress: {}, lookup: resolvingTo(...addresses) });
      const { failure } = await made.post(`http://rebound.example:${new URL(target.url).port}/`);
      expect(failure).toMatchObject({
        code: 'EgressRefused',
        message: expect.stringContaining('rebound.example resolves to'),
      });
      expect(target.received).toHaveLength(0);
    },
  );

  it('connects to the address that was checked: a name is resolved once per connection', async () => {
    await using target = await startTarget(answering(200, { 'content-length': '0' }));
    let asked = 0;
    const lookup: Lookup = (name, options, callback) =>
      resolvingTo(++asked === 1 ? '127.0.0.1' : '169.254.169.254')(name, options, callback);
    await using made = makeClient({ lookup });
    const url = `http://rebound.example:${new URL(target.url).port}/`;
    expect((await made.post(url)).answer?.status).toBe(200);
    expect((await made.post(url)).answer?.status).toBe(200);
    expect(asked).toBe(1);
    expect(target.received[0]?.headers.host).toBe(new URL(url).host);
  });

  it('resolves names as they stand where namespaces are kept apart, past every search domain', async () => {
    await using target = await startTarget(answering(200));
    const asked: string[] = [];
    const lookup: Lookup = (name, options, callback) => {
      asked.push(name);
      resolvingTo('127.0.0.1')(name, options, callback);
    };
    await using made = makeClient({ egress: { allowLoopback: true, crossNamespace: false }, lookup });
    const { port } = new URL(target.url);
    expect((await made.post(`http://orders.shop:${port}/`)).answer?.status).toBe(200);
    expect(asked).toEqual(['orders.shop.']);
    expect(target.received[0]?.headers.host).toBe(`orders.shop:${port}`);
  });

  it('refuses its own listeners even where loopback is open', async () => {
    await using target = await startTarget(answering(200));
    await using made = makeClient({
      egress: { allowLoopback: true, own: [{ address: '0.0.0.0', port: Number(new URL(target.url).port) }] },
    });
    expect((await made.post(target.url)).failure?.code).toBe('EgressRefused');
  });
});

describe('the client', () => {
  it('tells what can never be sent', async () => {
    await using made = makeClient();
    expect((await made.post('ftp://example.com/')).failure?.code).toBe('Unsendable');
    const headers = [{ name: 'X', value: 'a\nb' }];
    const { failure } = await made.post('', {
      destination: { kind: 'sink', url: 'http://127.0.0.1:1/', headers },
    });
    expect(failure?.code).toBe('Unsendable');
    expect(failure?.message).not.toContain('a\nb');
  });

  it('does not send what timed out while it waited for a connection', async () => {
    await using target = await startTarget((response, request) => {
      if (request.headers['ce-id'] !== 'slow') response.end();
    });
    await using made = makeClient({ connections: 1 });
    const slow = made.post(target.url, { headers: { 'ce-id': 'slow' }, timeoutMs: 300 });
    await target.got(1);
    const queued = await made.post(target.url, { headers: { 'ce-id': 'late' }, timeoutMs: 50 });
    expect(queued.failure?.code).toBe('Timeout');
    expect((await slow).failure?.code).toBe('Timeout');
    expect((await made.post(target.url, { headers: { 'ce-id': 'next' } })).answer?.status).toBe(200);
    expect(target.received.map(({ headers }) => headers['ce-id'])).toEqual(['slow', 'next']);
  });

  it('keeps no connection from requests for a stream, and none from streams for another', async () => {
    await using target = await startTarget((response, request) => {
      if (request.path === '/in/stream') response.write('first');
      else response.end();
    });
    await using made = makeClient({ connections: 1 });
    const destination = { kind: 'sink', url: target.url, headers: [] } as const;
    const headers = {};
    for (let i = 0; i < 3; i++) {
      const listens = { destination, path: '/stream', headers, openMs: 10_000, idleMs: 10_000 };
      const first = await new Promise((resolve) => {
        made.client.stream(listens, { open() {}, data: resolve, end: resolve });
      });
      expect(String(first)).toBe('first');
    }
    const asks = { destination, path: '/jobs', headers, timeoutMs: 10_000, maxAnswerBytes: 10 };
    const status = await new Promise((resolve) => {
      made.client.read(asks, (answer, failure) => resolve(answer?.status ?? failure));
    });
    expect(status).toBe(200);
  });

  it('closes the connections of an origin that nobody uses any more', async () => {
    await using target = await startTarget(answering(200));
    await using made = makeClient({ idleMs: 100 });
    let closed: Promise<unknown> | undefined;
    await made.post(target.url);
    expect(made.client.pools).toBe(1);
    closed = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (made.client.pools > 0) return;
        clearInterval(look);
        resolve();
      }, 10);
    });
    await closed;
    expect((await made.post(target.url)).answer?.status).toBe(200);
  });

  it('ends what is under way when it is closed', async () => {
    await using target = await startTarget(() => {});
    const made = makeClient();
    const waiting = made.post(target.url);
    await target.got(1);
    await made.client.close();
    expect((await waiting).failure?.code).toBe('Closed');
    expect((await made.post(target.url)).failure?.code).toBe('Closed');
  });
});
