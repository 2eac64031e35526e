import type { IncomingHttpHeaders } from 'node:http';
import type { Destination } from '../routing/table.ts';

/** One POST to make. */
export interface OutboundRequest {
  readonly destination: Destination;
  /** Added to the destination's path. */
  readonly path: string;
  /** Added to the destination's query: `name=value`. */
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** For the whole exchange: connecting, sending, and the answer to its last byte. */
  readonly timeoutMs: number;
}

/** One document to fetch. */
export interface OutboundFetch {
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** How much of the answer is read. */
  readonly maxAnswerBytes: number;
}

/** One document to read of a destination, as who it says. */
export interface OutboundRead {
  readonly destination: Destination;
  /** Added to the destination's path. */
  readonly path: string;
  /** Added to the destination's query. */
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** How much of the answer is read. */
  readonly maxAnswerBytes: number;
}

/** An answer to listen to for as long as it lasts. */
export interface OutboundStream {
  readonly destination: Destination;
  readonly path: string;
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Set: the connection is to speak this protocol from then on (`websocket`). */
  readonly upgrade?: string;
  /** How long it may take until the answer begins. */
  readonly openMs: number;
  /** How long it may be silent. */
  readonly idleMs: number;
}

/** What a stream tells. */
export interface StreamListener {
  /** The answer begins; 101 where the connection was upgraded. */
  open(status: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): void;
  /** Called once, unless it was closed from here; undefined: the other end ended it in order. */
  end(failure: Failure | undefined): void;
}

/** A stream under way. */
export interface StreamHandle {
  /** After an upgrade only. */
  write(bytes: Buffer): void;
  /** Reads no more until `resume`: the other end has to wait. */
  pause(): void;
  resume(): void;
  /** Ends it; its listener is told nothing more. */
  close(): void;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Its first bytes, at most the client's `maxAnswerBytes`; the rest was not read. */
  readonly body: Buffer;
}

/**
 * Why nothing came back.
 * - `EgressRefused`: the address is one that the egress policy refuses; no request was made
 * - `Timeout`: the exchange was not over in time
 * - `Unsendable`: the request's headers or address are not valid HTTP
 * - `NoAnswer`: name resolution, connection, TLS or protocol failed
 * - `Closed`: the client was closed meanwhile
 */
export type FailureCode = 'EgressRefused' | 'Timeout' | 'Unsendable' | 'NoAnswer' | 'Closed';

/** A request without an answer. `message` is safe to show. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

/** Called once per request, with either an answer or a failure. */
export type OutboundDone = (answer: Answer | undefined, failure: Failure | undefined) => void;

/** The one way out: timeouts, no redirects, addresses checked and pinned, answers bounded. */
export interface OutboundClient {
  /** Sends one request. Never throws; `done` may be called before it returns. */
  post(request: OutboundRequest, done: OutboundDone): void;
  /** Fetches one document. Never throws; `done` may be called before it returns. */
  get(request: OutboundFetch, done: OutboundDone): void;
  /** The same of a destination, with its credentials and its trust. */
  read(request: OutboundRead, done: OutboundDone): void;
  /** Listens to an answer, or upgrades the connection. Never throws; `end` may be called before it returns. */
  stream(request: OutboundStream, listener: StreamListener): StreamHandle;
  /** Ends every exchange and stream under way with `Closed` and closes every connection. */
  close(): Promise<void>;
  /** Origins that have a connection pool. */
  readonly pools: number;
}

/** Calls back after `ms`; the answer cancels it. Injected, so that tests own the time. */
export type SetTimer = (callback: () => void, ms: number) => () => void;

/** The process's own timers. */
export const systemTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};
