import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { createClient } from '../../deliver/client.ts';
import { systemTimer } from '../../deliver/outbound.ts';
import { ojsSource } from '../../routing/testing.ts';
import { type Ended, OPEN_MS, type Reads } from '../transport.ts';
import { encodeFrame, OPCODE } from '../websocket-frames.ts';
import { webSocket } from './web-socket.ts';

/** A backend that says this to a subscription, and what subscribes; its timers are fired by the test. */
async function setUp(says: string | undefined) {
  const sockets: Duplex[] = [];
  const server = createServer();
  server.on('upgrade', ({ headers }, socket) => {
    sockets.push(socket);
    const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${hash('sha1', key, 'base64')}\r\n\r\n`,
    );
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (says !== undefined) socket.write(encodeFrame(OPCODE.text, Buffer.from(says)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const timers = new Map<() => void, number>();
  const subscribed = Promise.withResolvers<void>();
  const reads = Promise.withResolvers<Reads>();
  const told = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<Ended>();
  const connection = webSocket(
    {
      source: ojsSource(url),
      client,
      setTimer(work, ms) {
        timers.set(work, ms);
        subscribed.resolve();
        return () => timers.delete(work);
      },
      randomBytes,
      cursor: undefined,
    },
    {
      reads: reads.resolve,
      message: (json) => told.resolve(json.toString()),
      page: () => undefined,
      broken: () => undefined,
      ended: ended.resolve,
    },
  );
  return {
    connection,
    timers,
    subscribed: subscribed.promise,
    reads: reads.promise,
    told: told.promise,
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      connection.close();
      await client.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it('a subscription that is not answered is no way of telling events', async () => {
  await using stage = await setUp(undefined);
  await stage.subscribed;
  expect([...stage.timers.values()]).toEqual([OPEN_MS]);
  for (const work of stage.timers.keys()) work();
  expect(await stage.ended).toEqual({
    cause: '/ojs/v1/ws does not answer a subscription',
    missing: true,
  });
});

it('a subscription that is answered may be silent from then on', async () => {
  await using stage = await setUp('{"type":"subscribed"}');
  expect(await stage.reads).toEqual({ transport: 'WebSocket, channel events', replay: 'none' });
  expect(stage.timers.size).toBe(0);
});

it('events that come at once answer a subscription, too', async () => {
  await using stage = await setUp('{"type":"event","data":{"type":"a"}}');
  expect(await stage.told).toBe('{"type":"a"}');
  expect(stage.timers.size).toBe(0);
});

it('what answers a subscription is waited for only while it can be heard', async () => {
  await using stage = await setUp(undefined);
  await stage.subscribed;
  stage.connection.pause();
  expect(stage.timers.size).toBe(0);
  stage.connection.resume();
  expect([...stage.timers.values()]).toEqual([OPEN_MS]);
});

it('a connection that is closed waits for no answer', async () => {
  await using stage = await setUp(undefined);
  await stage.subscribed;
  stage.connection.close();
  expect(stage.timers.size).toBe(0);
});
