import type { buildConnector } from 'undici';
import type { Exchange } from '../exchange.ts';
import { createFifo } from '../fifo.ts';
import { createAnswerReader } from './answer-head.ts';
import { type ConnectionOwner, type Job, PlainConnection } from './connection.ts';
import { handOver } from './handed-over.ts';
import { createHeadWriter, type PlainRequest } from './request-text.ts';

/** What a pool is made of. */
export interface PlainPoolOptions {
  /** Scheme, host and port. */
  readonly origin: URL;
  readonly connect: buildConnector.connector;
  /** At most so many connections. */
  readonly connections: number;
  /** The client's tick, and how long one is. */
  readonly tick: () => number;
  readonly tickMs: number;
}

/** The connections to one origin that carry plain requests. */
export interface PlainPool {
  /** Sends a request; false: it, or this origin's answers, are not plain, and nothing was done. */
  dispatch(request: PlainRequest, exchange: Exchange): boolean;
  /** Closes what rested for too long. */
  sweep(): void;
  /** Opens nothing more; what is under way comes to its end, and who still waits for a connection is to be ended. */
  close(): void;
}

/** How long an origin is left to undici after an answer that was not plain: its next ones will hardly be. */
const LEFT_MS = 60_000;

/** Makes a pool without connections. */
export function createPlainPool(options: PlainPoolOptions): PlainPool {
  const { origin, connect, connections, tick, tickMs } = options;
  const writeHead = createHeadWriter(origin.host);
  const target = connectionTarget(origin);
  const waiting = createFifo<Job>();
  /** The last to rest is the first to be used: those beyond what is needed come to their end. */
  let idle: PlainConnection[] = [];
  /** About to be used: the event loop comes round first, so that what their target has sent or closed meanwhile is seen. */
  let next: PlainConnection[] = [];
  let open = 0;
  let closed = false;
  let plainFrom = 0;

  const owner: ConnectionOwner = {
    readHead: createAnswerReader(),
    rests(connection) {
      if (waiting.size > 0) use(connection);
      else rest(connection);
    },
    gone: closedOne,
    handOver(socket, came, job) {
      plainFrom = tick() + LEFT_MS / tickMs;
      handOver(origin.origin, { socket, came }, job);
    },
  };

  function use(connection: PlainConnection): void {
    if (next.push(connection) === 1) setImmediate(serveNext);
  }

  function serveNext(): void {
    const looked = next;
    next = [];
    for (const connection of looked) if (connection.usable) serve(connection);
  }

  /** Has it send what waited longest, or rest. */
  function serve(connection: PlainConnection): void {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (connection.send(job)) return;
    }
    rest(connection);
  }

  function rest(connection: PlainConnection): void {
    if (closed) {
      connection.destroy();
      return;
    }
    connection.restsSince = tick();
    idle.push(connection);
  }

  function openFor(job: Job): void {
    open += 1;
    connect(target, (error, socket) => {
      if (socket) {
        const connection = new PlainConnection(socket, owner);
        if (!connection.send(job)) serve(connection);
        return;
      }
      closedOne();
      job.exchange.onResponseError(null, error ?? new Error('no connection'));
    });
  }

  function closedOne(): void {
    open -= 1;
    const job = closed ? undefined : waiting.shift();
    if (job !== undefined) openFor(job);
  }

  function hasRested({ restsSince, restMs }: PlainConnection): boolean {
    return (tick() - restsSince) * tickMs >= restMs;
  }

  function rested(): PlainConnection | undefined {
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
      if (!one.usable) continue;
      if (!hasRested(one)) return one;
      one.destroy();
    }
    return undefined;
  }

  return {
    dispatch(request, exchange) {
      if (tick() < plainFrom) return false;
      const head = writeHead(request);
      if (head === undefined) return false;
      const job = { request, head, exchange };
      const connection = rested();
      if (connection === undefined && open < connections) openFor(job);
      else waiting.push(job);
      if (connection !== undefined) use(connection);
      return true;
    },
    sweep() {
      idle = idle.filter((connection) => {
        if (connection.usable && hasRested(connection)) connection.destroy();
        return connection.usable;
      });
    },
    close() {
      closed = true;
      for (const connection of idle.splice(0)) connection.destroy();
    },
  };
}

/** As undici has it: an IPv6 address without its brackets, and a name for TLS where it is none. */
function connectionTarget({ protocol, host, hostname, port }: URL): buildConnector.Options {
  return { protocol, host, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port };
}
