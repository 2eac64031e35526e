import { Pool } from 'undici';
import type { Destination } from '../routing/table.ts';
import { createConnector, type Lookup } from './connector.ts';
import { compileEgress, type EgressPolicy } from './egress.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import { Exchange, type ExchangeOwner } from './exchange.ts';
import { HTTP1 } from './http1.ts';
import type {
  Failure,
  OutboundClient,
  OutboundDone,
  OutboundFetch,
  OutboundRead,
  OutboundRequest,
  OutboundStream,
  SetTimer,
  StreamHandle,
  StreamListener,
} from './outbound.ts';
import { createPlainPool, type PlainPool } from './plain/pool.ts';
import { createRoster } from './roster.ts';
import { Stream } from './stream.ts';

/** What a client is made of. */
export interface ClientOptions {
  readonly egress: EgressPolicy;
  readonly setTimer: SetTimer;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** Connections per origin, besides those that streams take. Default 256. */
  readonly connections?: number;
  /** How much of an answer is read. Default 64 KiB. */
  readonly maxAnswerBytes?: number;
  /** A pool that nobody used for so long is closed. Default one minute. */
  readonly idleMs?: number;
}

/** How finely time-outs are kept: one timer for all exchanges instead of one each. */
const TICK_MS = 50;
const CONNECT_TIMEOUT_MS = 10_000;

const UNSENDABLE: Failure = { code: 'Unsendable', message: 'the target has no valid http or https URL' };
const CLOSED: Failure = { code: 'Closed', message: 'the client was closed' };

interface Origin {
  /** For what is posted, as long as it and its answers are plain. */
  readonly plain: PlainPool;
  /** For every other request; opens nothing before it is used. */
  readonly pool: Pool;
  /** Without a bound: a stream keeps its connection, and would leave none for requests. */
  readonly streams: Pool;
  /** The tick of its last use. */
  usedAt: number;
}

/** Makes the one outbound client. Throws where the egress policy cannot be read. */
export function createClient(options: ClientOptions): OutboundClient {
  const { setTimer, connections = 256, maxAnswerBytes = 64 * 1024, idleMs = 60_000 } = options;
  const egress = compileEgress(options.egress);
  const endpoints = new WeakMap<Destination, Endpoint>();
  const origins = new Map<string, Origin>();
  const owner: ExchangeOwner = {
    maxAnswerBytes,
    underWay: createRoster(),
    afterRelease: createAfterRelease(),
  };
  const idleTicks = Math.ceil(idleMs / TICK_MS);
  const sweepEvery = Math.max(1, Math.min(idleTicks, 20));
  // Time-outs count ticks and not the clock, which may jump.
  let tick = 0;
  let cancelTick: (() => void) | undefined;
  let closed = false;

  function endpoint(destination: Destination): Endpoint | undefined {
    const known = endpoints.get(destination);
    if (known !== undefined) return known;
    const made = endpointOf(destination);
    if (made !== undefined) endpoints.set(destination, made);
    return made;
  }

  function originOf(to: Endpoint): Origin {
    const known = origins.get(to.poolKey);
    if (known !== undefined) {
      known.usedAt = tick;
      return known;
    }
    const { origin, caCerts } = to;
    const timeoutMs = CONNECT_TIMEOUT_MS;
    const connect = createConnector({ origin, egress, lookup: options.lookup, caCerts, timeoutMs });
    const plain = createPlainPool({
      origin,
      connect,
      connections,
      tick: () => tick,
      tickMs: TICK_MS,
    });
    const pool = new Pool(origin, { ...HTTP1, connections, connect });
    const streams = new Pool(origin, { ...HTTP1, connections: null, connect });
    const made = { plain, pool, streams, usedAt: tick };
    origins.set(to.poolKey, made);
    return made;
  }

  function ticked(): void {
    tick += 1;
    for (const exchange of owner.underWay.items()) {
      if (exchange.deadline <= tick) exchange.stop(TIMEOUT);
    }
    if (tick % sweepEvery === 0) closeIdle();
    cancelTick = undefined;
    keepTicking();
  }

  function keepTicking(): void {
    if (cancelTick !== undefined || closed) return;
    if (owner.underWay.size > 0 || origins.size > 0) cancelTick = setTimer(ticked, TICK_MS);
  }

  function closeIdle(): void {
    for (const [key, { plain, pool, streams, usedAt }] of origins) {
      plain.sweep();
      if (tick - usedAt < idleTicks) continue;
      origins.delete(key);
      // Waits for what is still under way there; nothing new can come.
      plain.close();
      void pool.close();
      void streams.close();
    }
  }

  function refuse(done: OutboundDone): void {
    done(undefined, closed ? CLOSED : UNSENDABLE);
  }

  function deadlineIn(ms: number): number {
    return tick + 1 + Math.ceil(ms / TICK_MS);
  }

  function post(request: OutboundRequest, done: OutboundDone): void {
    const to = endpoint(request.destination);
    if (closed || to === undefined) {
      refuse(done);
      return;
    }
    const exchange = new Exchange(owner, deadlineIn(request.timeoutMs), done);
    const path = to.path(request.path, request.query);
    const headers = to.headers(request.headers);
    const sent = { method: 'POST', path, headers, body: request.body } as const;
    const { plain, pool } = originOf(to);
    if (!plain.dispatch(sent, exchange)) pool.dispatch(sent, exchange);
    keepTicking();
  }

  function get(request: OutboundFetch, done: OutboundDone): void {
    const to = endpointOf({ kind: 'sink', url: request.url, headers: [] });
    if (closed || to === undefined) {
      refuse(done);
      return;
    }
    const bounded = { ...owner, maxAnswerBytes: request.maxAnswerBytes };
    const exchange = new Exchange(bounded, deadlineIn(request.timeoutMs), done);
    originOf(to).pool.dispatch(
      { method: 'GET', path: to.path(''), headers: to.headers(request.headers) },
      exchange,
    );
    keepTicking();
  }

  function read(request: OutboundRead, done: OutboundDone): void {
    const to = endpoint(request.destination);
    if (closed || to === undefined) {
      refuse(done);
      return;
    }
    const bounded = { ...owner, maxAnswerBytes: request.maxAnswerBytes };
    const exchange = new Exchange(bounded, deadlineIn(request.timeoutMs), done);
    const path = to.path(request.path, request.query);
    originOf(to).pool.dispatch({ method: 'GET', path, headers: to.headers(request.headers) }, exchange);
    keepTicking();
  }

  function stream(request: OutboundStream, listener: StreamListener): StreamHandle {
    const to = endpoint(request.destination);
    const opened = new Stream({ underWay: owner.underWay, deadlineIn }, request, listener);
    if (closed || to === undefined) {
      opened.stop(closed ? CLOSED : UNSENDABLE);
      return opened;
    }
    const path = to.path(request.path, request.query);
    const upgrade = request.upgrade === undefined ? {} : { upgrade: request.upgrade };
    originOf(to).streams.dispatch(
      { method: 'GET', path, headers: to.headers(request.headers), ...upgrade },
      opened,
    );
    keepTicking();
    return opened;
  }

  async function close(): Promise<void> {
    closed = true;
    cancelTick?.();
    cancelTick = undefined;
    const all = [...origins.values()];
    origins.clear();
    for (const { plain } of all) plain.close();
    for (const exchange of owner.underWay.items()) exchange.stop(CLOSED);
    const pools = all.flatMap(({ pool, streams }) => [pool.destroy(), streams.destroy()]);
    await Promise.all(pools);
  }

  return {
    post,
    get,
    read,
    stream,
    close,
    get pools() {
      return origins.size;
    },
  };
}

/**
 * undici frees a connection in an immediate that it plans after it told of the answer's end. Whoever sends the next
 * request before that gets a second connection, so the end is handed on in an immediate that is planned after undici's.
 */
function createAfterRelease(): (exchange: Exchange) => void {
  let ended: Exchange[] = [];
  const plan = (): void => {
    const batch = ended;
    ended = [];
    setImmediate(finishAll, batch);
  };
  return (exchange) => {
    if (ended.push(exchange) === 1) queueMicrotask(plan);
  };
}

function finishAll(exchanges: readonly Exchange[]): void {
  for (const exchange of exchanges) exchange.finish();
}

const TIMEOUT: Failure = { code: 'Timeout', message: 'the answer was not complete within the timeout' };
