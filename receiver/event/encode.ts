import { isUtf8 } from 'node:buffer';
import type { CloudEvent } from './event.ts';
import { encodeHeaderValue } from './header-value.ts';
import { isJsonText } from './json-scanner.ts';
import { isJson, isUtf8Text } from './media-type.ts';

/** An event as HTTP carries it; header names are lower-case. */
export interface EncodedEvent {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const EMPTY = Buffer.alloc(0);
const CLOSE = Buffer.from('}');

/** Data without a media type is JSON where it can be read as such (JSON format 3.1.2), else of no known type. */
function impliedType(body: Buffer | undefined): string | undefined {
  return body !== undefined && isJsonText(body) && isUtf8(body) ? 'application/json' : undefined;
}

/** Writes an event in binary mode (HTTP binding 3.1): attributes percent-encoded, data byte for byte. */
export function encodeBinary(event: CloudEvent): EncodedEvent {
  const headers: Record<string, string> = {};
  const { attributes, body } = event;
  for (const name in attributes) {
    if (name !== 'datacontenttype') headers[`ce-${name}`] = encodeHeaderValue(attributes[name] ?? '');
  }
  const contentType = attributes['datacontenttype'] ?? impliedType(body);
  if (contentType !== undefined) headers['content-type'] = contentType;
  return { headers, body: body ?? EMPTY };
}

/**
 * Writes an event in structured mode (JSON format 3). JSON data stands in the envelope byte for byte, the white space
 * around it included; text is a string; the rest is `data_base64`, also what calls itself JSON and is not.
 */
export function encodeStructured(event: CloudEvent): EncodedEvent {
  const headers = { 'content-type': 'application/cloudevents+json' };
  const { attributes, body } = event;
  let envelope = '';
  for (const name in attributes) {
    envelope += `${envelope === '' ? '{' : ','}"${name}":${JSON.stringify(attributes[name])}`;
  }
  if (body === undefined) return { headers, body: Buffer.from(`${envelope}}`) };
  const contentType = attributes['datacontenttype'];
  const readable = isUtf8(body);
  if (readable && isJson(contentType) && isJsonText(body)) {
    return { headers, body: Buffer.concat([Buffer.from(`${envelope},"data":`), body, CLOSE]) };
  }
  if (readable && contentType !== undefined && isUtf8Text(contentType)) {
    return { headers, body: Buffer.from(`${envelope},"data":${JSON.stringify(body.toString('utf8'))}}`) };
  }
  return { headers, body: Buffer.from(`${envelope},"data_base64":"${body.toString('base64')}"}`) };
}
