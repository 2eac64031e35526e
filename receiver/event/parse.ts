import type { IncomingHttpHeaders } from 'node:http';
import { RequestError } from '../errors.ts';
import { parseBinary } from './binary.ts';
import type { CloudEvent } from './event.ts';
import { essence } from './media-type.ts';
import { parseBatch, parseStructured } from './structured.ts';
import type { EventRules } from './validate.ts';

export type ContentMode = 'binary' | 'structured' | 'batch';

const FORMATS: ReadonlyMap<string, ContentMode> = new Map([
  ['application/cloudevents+json', 'structured'],
  ['application/cloudevents-batch+json', 'batch'],
]);

/**
 * The content mode that a Content-Type asks for (HTTP binding 3). Throws RequestError 415 `unsupported_media_type`
 * for an event format other than JSON.
 */
export function contentMode(contentType: string | undefined): ContentMode {
  if (contentType === undefined || contentType === 'application/json') return 'binary';
  const type = essence(contentType);
  if (!type.startsWith('application/cloudevents')) return 'binary';
  const mode = FORMATS.get(type);
  if (mode !== undefined) return mode;
  const message = 'this event format is not supported; send application/cloudevents+json, or binary mode';
  throw new RequestError(415, 'unsupported_media_type', message);
}

/**
 * Reads one CloudEvent 1.0 from an HTTP request, in the mode that its Content-Type tells.
 * Throws RequestError 400 `invalid_event` (the message names the attribute), 415 `unsupported_media_type`,
 * 415 `unexpected_batch`.
 */
export function parseCloudEvent(headers: IncomingHttpHeaders, body: Buffer, rules: EventRules): CloudEvent {
  const mode = contentMode(headers['content-type']);
  if (mode === 'binary') return parseBinary(headers, body, rules);
  if (mode === 'structured') return parseStructured(body, rules);
  throw new RequestError(415, 'unexpected_batch', 'one event is expected here, not a batch');
}

/** One event of a request, or why it is refused for good. */
export type Parsed = CloudEvent | RequestError;

/** Reads a batch and nothing else (HTTP binding 3.3). Throws RequestError 415 `unsupported_media_type` and as `parseBatch`. */
export function parseBatchOnly(
  headers: IncomingHttpHeaders,
  body: Buffer,
  rules: EventRules,
): readonly Parsed[] {
  if (isBatch(headers)) return parseBatch(body, rules);
  const message = 'a batch is expected here; send application/cloudevents-batch+json';
  throw new RequestError(415, 'unsupported_media_type', message);
}

/** Reads CloudEvents in whichever mode they come. Throws as `parseCloudEvent` and `parseBatch`. */
export function parseCloudEvents(
  headers: IncomingHttpHeaders,
  body: Buffer,
  rules: EventRules,
): readonly Parsed[] {
  return isBatch(headers) ? parseBatch(body, rules) : [parseCloudEvent(headers, body, rules)];
}

/** Whether a request says that it is a batch. Throws RequestError 415 `unsupported_media_type`. */
export function isBatch(headers: IncomingHttpHeaders): boolean {
  return contentMode(headers['content-type']) === 'batch';
}
