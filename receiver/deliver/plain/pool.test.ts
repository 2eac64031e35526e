import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createClient } from '../client.ts';
import { type OutboundRequest, systemTimer } from '../outbound.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A target that knows nothing of HTTP but when a request's head is there. */
async function startRaw(answer: (socket: Socket, request: number) => void | Promise<void>) {
  let requests = 0;
  let connections = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    connections++;
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (chunk.toString('latin1').startsWith('POST ')) void answer(socket, ++requests);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer, connections: 2 });
  const { port } = server.address() as AddressInfo;
  const destination = { kind: 'sink', url: `http://127.0.0.1:${port}/`, headers: [] } as const;
  return {
    sockets,
    get connections() {
      return connections;
    },
    post: (more: Partial<OutboundRequest> = {}) =>
      new Promise<string>((resolve) => {
        const request = {
          destination,
          path: '',
          headers: {},
          body: Buffer.from('x'),
          timeoutMs: 5_000,
          ...more,
        };
        client.post(request, (came, failure) =>
          resolve(
            came === undefined
              ? `${failure?.code}: ${failure?.message}`
              : `${came.status} ${came.body.toString()}`,
          ),
        );
      }),
    close: () => client.close(),
    async [Symbol.asyncDispose]() {
      await client.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('a connection', () => {
  it('is used again after an answer in any pieces', async () => {
    await using target = await startRaw((socket) => {
      for (const piece of ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n', 'o', 'k']) socket.write(piece);
    });
    for (let i = 0; i < 3; i++) expect(await target.post()).toBe('200 ok');
    expect(target.connections).toBe(1);
  });

  it.each([
    ['that ends the connection', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nok'],
    ['with more behind it', `${OK}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong`],
    ['in chunks with more behind it', `${CHUNKED}2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n`],
    ['of a server that closes in two seconds', OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=2\r\n\r\n')],
  ])('is not used again after an answer %s', async (_which, text) => {
    await using target = await startRaw((socket, request) => void socket.write(request === 1 ? text : OK));
    expect(await target.post()).toBe('200 ok');
    expect(await target.post()).toBe('200 ok');
    expect(target.connections).toBe(2);
  });

  it('is not used again where something comes that nobody asked for', async () => {
    const long = OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=600\r\n\r\n');
    await using target = await startRaw((socket) => void socket.write(long));
    expect(await target.post()).toBe('200 ok');
    const [first] = target.sockets;
    const closed = once(first as Socket, 'close');
    first?.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong');
    await closed;
    expect(await target.post()).toBe('200 ok');
    expect(target.connections).toBe(2);
  });

  it('is not used again where the answer came before the request was whole', async () => {
    await using target = await startRaw((socket) => {
      socket.pause();
      socket.write(OK);
    });
    expect(await target.post({ body: Buffer.alloc(32 << 20) })).toBe('200 ok');
    expect(await target.post()).toBe('200 ok');
    expect(target.connections).toBe(2);
  });

  it('that the target closes while it rests is not missed', async () => {
    await using target = await startRaw((socket) => void socket.write(OK));
    expect(await target.post()).toBe('200 ok');
    const [first] = target.sockets;
    const closed = once(first as Socket, 'close');
    first?.end();
    await closed;
    expect(await target.post()).toBe('200 ok');
    expect(target.connections).toBe(2);
  });
});

/** A target on a thread of its own: it goes on while this one's event loop stands still. */
const TARGET = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
const answer = (text) => 'HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text;
const sockets = [];
const server = createServer((socket) => {
  const which = 'connection ' + sockets.push(socket);
  socket.on('error', () => {});
  socket.on('data', () => socket.write(answer(which)));
});
parentPort.on('message', ({ ends, done }) => {
  const told = () => { Atomics.store(done, 0, 1); Atomics.notify(done, 0); };
  if (ends) sockets[0].end(told);
  else sockets[0].write(answer('nobody asked'), told);
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe('a connection that rests', () => {
  it.each([
    ['has sent something', false],
    ['has closed it', true],
  ])('is not used where its target %s, and that was not seen yet', async (_which, ends) => {
    const worker = new Worker(TARGET, { eval: true });
    const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer, connections: 2 });
    const [port] = (await once(worker, 'message')) as [number];
    const destination = { kind: 'sink', url: `http://127.0.0.1:${port}/`, headers: [] } as const;
    const request = { destination, path: '', headers: {}, body: Buffer.from('x'), timeoutMs: 5_000 };
    const post = () =>
      new Promise<string | undefined>((resolve) => {
        client.post(request, (came, failure) => resolve(came?.body.toString() ?? failure?.message));
      });
    expect(await post()).toBe('connection 1');
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    const done = new Int32Array(new SharedArrayBuffer(4));
    worker.postMessage({ ends, done });
    expect(Atomics.wait(done, 0, 0, 30_000)).not.toBe('timed-out');
    expect(await post()).toBe('connection 2');
    await client.close();
    await worker.terminate();
  });
});

describe('a pool', () => {
  it('has those wait that find no connection free, and serves them in their order', async () => {
    const waiting: Socket[] = [];
    await using target = await startRaw((socket) => {
      waiting.push(socket);
      if (waiting.length < 2) return;
      for (const one of waiting.splice(0)) one.write(OK);
    });
    const all = await Promise.all(Array.from({ length: 6 }, () => target.post()));
    expect(all).toEqual(Array.from({ length: 6 }, () => '200 ok'));
    expect(target.connections).toBe(2);
  });

  it('hands an answer that is not plain to undici, without a second request', async () => {
    const chunked = `${CHUNKED}2\r\nok\r\n0\r\n\r\n`;
    const numbers: number[] = [];
    await using target = await startRaw(async (socket, request) => {
      numbers.push(request);
      for (const piece of [chunked.slice(0, 30), chunked.slice(30, 52), chunked.slice(52)]) {
        socket.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    for (let i = 0; i < 4; i++) expect(await target.post()).toBe('200 ok');
    expect(numbers).toEqual([1, 2, 3, 4]);
    // The first connection is given up with its answer; undici opens one for all that follow.
    expect(target.connections).toBe(2);
  });

  it('keeps to its number of connections while undici reads their answers', async () => {
    let most = 0;
    await using target = await startRaw((socket) => {
      most = Math.max(most, target.sockets.filter(({ closed }) => !closed).length);
      socket.write(`${CHUNKED}2\r\nok\r\n`);
      setTimeout(() => socket.write('0\r\n\r\n'), 20);
    });
    const all = await Promise.all(Array.from({ length: 20 }, () => target.post()));
    expect(new Set(all)).toEqual(new Set(['200 ok']));
    // One more, where the target has not seen yet that one was closed.
    expect(most).toBeLessThanOrEqual(3);
  });

  it('opens nothing more for those who wait once it is closed', async () => {
    await using target = await startRaw(() => undefined);
    const all = Array.from({ length: 6 }, () => target.post());
    while (target.connections < 2) await new Promise((resolve) => setImmediate(resolve));
    await target.close();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['Closed: the client was closed']));
    expect(target.connections).toBe(2);
  });

  it('reads an answer in chunks that comes whole, and uses its connection again', async () => {
    const chunks = '1\r\no\r\n1\r\nk\r\n0\r\n\r\n';
    await using target = await startRaw((socket, request) => {
      const body = request === 2 ? '0\r\n\r\n' : chunks;
      socket.write(`${CHUNKED}${body}`);
    });
    expect([await target.post(), await target.post(), await target.post()]).toEqual([
      '200 ok',
      '200 ',
      '200 ok',
    ]);
    expect(target.connections).toBe(1);
  });

  it('tells who waits when its connections break', async () => {
    await using target = await startRaw((socket) => void socket.resetAndDestroy());
    const all = await Promise.all(Array.from({ length: 5 }, () => target.post()));
    expect(all).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^NoAnswer: /)));
  });
});
