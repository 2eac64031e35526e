import type { IncomingHttpHeaders } from 'node:http';

/** W3C Trace Context of a request, as it is kept with the events that the request brought. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What a `traceparent` header says. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly flags: number;
}

/** A later version may add fields behind these; `ff` is none. */
const PARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** What has to be handed on at least (W3C Trace Context 3.3.1.5). */
const LONGEST_STATE = 512;

/** The context of a request; undefined where it has none, or none that is valid. */
export function traceContextOf(headers: IncomingHttpHeaders): TraceContext | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || parseTraceParent(traceparent) === undefined) return undefined;
  const keepsState =
    typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= LONGEST_STATE;
  return keepsState ? { traceparent, tracestate } : { traceparent };
}

/** Reads a `traceparent`; undefined where it is not valid. */
export function parseTraceParent(text: string): TraceParent | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = PARENT.exec(text) ?? [];
  if (version === undefined || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceParent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}
