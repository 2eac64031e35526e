import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createFront, type FrontOptions } from './front/front.ts';

/** Where to listen. Port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** An open listener. */
export interface Listener {
  /** `http://host:port`, with the port that was taken. */
  readonly url: string;
  readonly address: AddressInfo;
  /** Tells the errors of connections that are opened from now on; Node has answered them by then where it does. */
  watchErrors(told: (error: NodeJS.ErrnoException) => void): void;
  /** Takes no new connection, lets requests under way end (at most `graceMs`), then closes what is left. */
  close(graceMs: number): Promise<void>;
}

/** What bounds connections before any of our own code sees a request. */
export interface ListenerLimits {
  /** Bytes of request line and headers: 431. */
  readonly headerBytes: number;
  /** Milliseconds for the headers, and for a whole request: 408. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Milliseconds between two looks at who is late. */
  readonly checkEveryMs: number;
  /** Connections at once; one more is closed without an answer, which costs nothing and every client repeats. */
  readonly connections: number;
}

export const LISTENER_LIMITS: ListenerLimits = {
  headerBytes: 32_768,
  headersMs: 15_000,
  requestMs: 60_000,
  checkEveryMs: 1000,
  connections: 10_000,
};

/** How long a connection without requests lives: longer than the minute of common proxies, which then end it themselves. */
const KEEP_ALIVE_MS = 75_000;

/** What a listener may have besides its handlers. */
export interface ListenerOptions {
  readonly limits?: ListenerLimits;
  /** Serves plain requests before `node:http` sees them. */
  readonly front?: FrontOptions;
}

/** A listener cannot be opened: says which one and the remedy. */
export class ListenError extends Error {
  readonly code: string;
  readonly address: ListenAddress;

  constructor(name: string, address: ListenAddress, cause: NodeJS.ErrnoException) {
    super(`The ${name} listener cannot use ${address.host}:${address.port}: ${remedy(name, cause)}`, {
      cause,
    });
    this.name = 'ListenError';
    this.code = cause.code ?? 'UNKNOWN';
    this.address = address;
  }
}

/** A handler of hot requests: answers true when the request is its own, false to pass it on. */
export type HotHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Opens an HTTP listener. `hot` sees every request first, before any framework; what it passes on goes to `rest`
 * (an Express application).
 */
export async function openListener(
  name: string,
  at: ListenAddress,
  hot: HotHandler,
  rest: RequestListener,
  { limits = LISTENER_LIMITS, front: served }: ListenerOptions = {},
): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: limits.headerBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => {
      if (!hot(request, response)) rest(request, response);
    },
  );
  server.maxConnections = limits.connections;
  const sockets = new Set<Socket>();
  const front = served && putBefore(server, served, limits);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, name, at);
  const address = server.address() as AddressInfo;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${host}:${address.port}`,
    address,
    watchErrors: (told) => void server.on('connection', (socket) => socket.on('error', told)),
    close(graceMs) {
      front?.close();
      return close(server, sockets, graceMs);
    },
  };
}

/** Has new connections go to a front first, and to the server what the front hands over. */
function putBefore(server: Server, served: FrontOptions, limits: ListenerLimits): { close(): void } {
  const own = server.listeners('connection');
  server.removeAllListeners('connection');
  const front = createFront(served, {
    headerBytes: limits.headerBytes,
    keepAliveMs: KEEP_ALIVE_MS,
    sweepEveryMs: limits.checkEveryMs,
    handOver(socket) {
      for (const listener of own) listener.call(server, socket);
    },
  });
  server.on('connection', (socket) => front.take(socket));
  const sweeping = setInterval(() => front.sweep(), limits.checkEveryMs);
  sweeping.unref();
  return {
    close() {
      clearInterval(sweeping);
      front.drain();
    },
  };
}

function listen(server: Server, name: string, at: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new ListenError(name, at, error)));
    server.listen(at.port, at.host, () => resolve());
  });
}

function close(server: Server, sockets: Set<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function remedy(name: string, cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EADDRINUSE') return `the port is in use; free it, or choose another with --${name}.`;
  if (cause.code === 'EACCES')
    return `this user may not open that port; choose one above 1024 with --${name}.`;
  if (cause.code === 'EADDRNOTAVAIL')
    return `this machine has no such address; choose another with --${name}.`;
  return `${cause.code ?? cause.message}; choose another with --${name}.`;
}
