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
  /** Ends every exchange under way with `Closed` and closes every connection. */
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
