import type { IncomingHttpHeaders } from 'node:http';
import { RequestError } from '../errors.ts';
import { parseBinary } from './binary.ts';
import type { CloudEvent } from './event.ts';
import { essence } from './media-type.ts';
import { parseStructured } from './structured.ts';
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

function readBatch(): never {
  throw new RequestError(
    415,
    'batch_unsupported',
    'batches are not supported here; send one event per request',
  );
}

const READERS: Readonly<
  Record<ContentMode, (headers: IncomingHttpHeaders, body: Buffer, rules: EventRules) => CloudEvent>
> = {
  binary: parseBinary,
  structured: (_headers, body, rules) => parseStructured(body, rules),
  batch: readBatch,
};

/**
 * Reads one CloudEvent 1.0 from an HTTP request, in the mode that its Content-Type tells.
 * Throws RequestError 400 `invalid_event` (the message names the attribute), 415 `unsupported_media_type`,
 * 415 `batch_unsupported`.
 */
export function parseCloudEvent(headers: IncomingHttpHeaders, body: Buffer, rules: EventRules): CloudEvent {
  return READERS[contentMode(headers['content-type'])](headers, body, rules);
}
