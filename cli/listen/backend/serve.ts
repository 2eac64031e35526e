import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { readBody } from '../../../receiver/http/body.ts';
import type { Address } from '../../address.ts';
import { type Backend, type BackendOptions, createBackend } from './backend.ts';

/** A backend that listens. */
export interface ServedBackend extends Backend {
  readonly url: string;
  /** Answers every request with this status instead, and cuts what is live; undefined: is well again. */
  fail(status: number | undefined): void;
  /** Ends everything at once. */
  stop(): Promise<void>;
}

const BODY_LIMIT = 1 << 20;

/** Opens a backend. Rejects where the address cannot be used. */
export async function serveBackend(address: Address, options: BackendOptions): Promise<ServedBackend> {
  const backend = createBackend(options);
  const sockets = new Set<Socket>();
  let failing: number | undefined;
  const server = createServer((request, response) => {
    readBody(request, { limit: BODY_LIMIT }, (error, body) => {
      if (failing !== undefined) response.writeHead(failing).end();
      else if (error !== undefined) response.writeHead(error.status).end();
      else backend.handle(request, response, body);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    // From here on nobody else listens, and a client that goes away is no fault.
    socket.on('error', () => socket.destroy());
    if (failing === undefined) backend.upgrade(request, socket);
    else socket.destroy();
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    jobs: backend.jobs,
    log: backend.log,
    handle: backend.handle,
    upgrade: backend.upgrade,
    get listeners() {
      return backend.listeners;
    },
    cut: backend.cut,
    close: backend.close,
    url: `http://${address.host}:${port}`,
    fail(status) {
      failing = status;
      if (status !== undefined) backend.cut();
    },
    async stop() {
      backend.close();
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
