import type { IncomingHttpHeaders } from 'node:http';
import type { CloudEvent } from '../event/event.ts';
import type { TraceContext } from './trace-context.ts';

/** Tells a tracing system what happens. Must be cheap, and never throws. */
export interface Tracing {
  /** A request came to an entrance: the sender's span, where it names one, becomes the parent. */
  received(request: ReceivedRequest): ReceivedTrace;
  /** An attempt at a delivery begins: a child of the span in which its event was received. */
  attempt(attempt: TracedAttempt): AttemptTrace;
  /** Hands over what is not handed over yet. */
  close(): Promise<void>;
}

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly entrance: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface ReceivedTrace {
  /** What the events keep, so that what becomes of them later belongs to the same trace. */
  readonly context: TraceContext;
  /** It was answered: with how many events, or with the code of the refusal. */
  ended(answer: { readonly events: number; readonly refused?: string }): void;
}

export interface TracedAttempt {
  readonly trigger: string;
  readonly delivery: number;
  /** Which one this is, from 1. */
  readonly attempt: number;
  readonly event: CloudEvent;
  /** Of the destination. */
  readonly url: string;
  readonly parent: TraceContext | undefined;
}

export interface AttemptTrace {
  /** What the request carries: `traceparent`, and `tracestate` where there is one. */
  readonly headers: Readonly<Record<string, string>>;
  ended(result: { readonly status?: number | undefined; readonly error?: string | undefined }): void;
}
