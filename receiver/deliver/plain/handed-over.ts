import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Client } from 'undici';
import { HTTP1 } from '../http1.ts';
import type { Job } from './connection.ts';

/**
 * Has undici read an answer whose request went out already: it gets a connection that takes the request and drops it, and
 * then begins with the bytes that came. Nothing else is sent on it.
 */
export function handOver(
  origin: string,
  { socket, came }: { socket: Socket; came: Buffer },
  { request, exchange }: Job,
): void {
  let begun = false;
  const replayed = new Duplex({
    // When the other end has ended, there is nobody left to send to.
    allowHalfOpen: false,
    read: () => void socket.resume(),
    write(_chunk, _encoding, callback) {
      if (!begun) begin();
      callback();
    },
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });

  function begin(): void {
    begun = true;
    replayed.push(came);
    socket.on('data', (chunk) => {
      if (!replayed.push(chunk)) socket.pause();
    });
    socket.on('end', () => replayed.push(null));
    socket.resume();
  }

  // Until undici has it, nobody else hears of an error.
  replayed.on('error', () => undefined);
  socket.pause();
  socket.on('error', (error) => replayed.destroy(error));
  socket.on('close', () => {
    if (!socket.readableEnded) replayed.destroy();
  });
  const client = new Client(origin, {
    ...HTTP1,
    // Later, as a connection that has to be opened would be: undici counts on it.
    connect: (_to, callback) => queueMicrotask(() => callback(null, replayed as unknown as Socket)),
  });
  client.dispatch(request, exchange);
  void client.close();
}
