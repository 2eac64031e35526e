import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { createClient } from './client.ts';
import type { Failure } from './outbound.ts';

const OPEN_MS = 10_000;
const IDLE_MS = 50_000;
/** More than any time that a stream is given. */
const LONG = 10_000;

/** A client whose ticks come when they are called, and a server that begins to tell something and goes on no further. */
async function setUp() {
  let ticked: (() => void) | undefined;
  const setTimer = (work: () => void): (() => void) => {
    ticked = work;
    return () => (ticked = undefined);
  };
  const client = createClient({ egress: { allowLoopback: true }, setTimer });
  const sockets: Duplex[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/read') response.end();
    if (request.url === '/stream') response.writeHead(200).write('first');
  });
  server.on('upgrade', (_request, socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst',
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const destination = { kind: 'job', url, headers: [] } as const;
  return {
    ticks(count: number) {
      for (let i = 0; i < count; i++) ticked?.();
    },
    open(path: string, upgrade?: string) {
      const began = Promise.withResolvers<void>();
      const told = Promise.withResolvers<string>();
      const ended = Promise.withResolvers<Failure | undefined>();
      let heard = '';
      const handle = client.stream(
        {
          destination,
          path,
          headers: {},
          openMs: OPEN_MS,
          idleMs: IDLE_MS,
          ...(upgrade === undefined ? {} : { upgrade }),
        },
        {
          open: () => began.resolve(),
          data(chunk) {
            heard += chunk.toString();
            told.resolve(heard);
          },
          end: (failure) => ended.resolve(failure),
        },
      );
      return {
        handle,
        began: began.promise,
        told: told.promise,
        ended: ended.promise,
        heard: () => heard,
      };
    },
    /** There and back: what the server wrote before has come. */
    roundTrip: () =>
      new Promise<void>((resolve) => {
        client.read({ destination, path: '/read', headers: {}, timeoutMs: OPEN_MS, maxAnswerBytes: 1 }, () =>
          resolve(),
        );
      }),
    async [Symbol.asyncDispose]() {
      await client.close();
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

it.each([
  ['a stream', undefined],
  ['an upgraded connection', 'websocket'],
])(
  '%s that is paused before it begins tells nothing until it may, and is not given up',
  async (_, upgrade) => {
    await using stage = await setUp();
    const stream = stage.open('/stream', upgrade);
    stream.handle.pause();
    await stream.began;
    await stage.roundTrip();
    stage.ticks(LONG);
    expect(stream.heard()).toBe('');
    stream.handle.resume();
    expect(await stream.told).toBe('first');
    // From here on it has to tell something again.
    stage.ticks(LONG);
    expect(await stream.ended).toMatchObject({ code: 'Timeout' });
  },
);

it.each([
  ['a stream', undefined],
  ['an upgraded connection', 'websocket'],
])('%s that is paused while it tells is not given up', async (_, upgrade) => {
  await using stage = await setUp();
  const stream = stage.open('/stream', upgrade);
  await stream.told;
  stream.handle.pause();
  stage.ticks(LONG);
  stream.handle.resume();
  let isOver = false;
  void stream.ended.then(() => (isOver = true));
  await stage.roundTrip();
  expect(isOver).toBe(false);
});

it('a stream that does not begin is given up in time, paused or resumed', async () => {
  await using stage = await setUp();
  const [paused, resumed] = [stage.open('/nothing'), stage.open('/nothing')];
  paused.handle.pause();
  resumed.handle.pause();
  resumed.handle.resume();
  // Longer than it may take to begin, and shorter than it may be silent.
  stage.ticks(300);
  expect(await paused.ended).toMatchObject({ code: 'Timeout' });
  expect(await resumed.ended).toMatchObject({ code: 'Timeout' });
});
