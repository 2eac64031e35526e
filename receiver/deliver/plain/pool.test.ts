import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
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
