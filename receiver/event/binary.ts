import type { IncomingHttpHeaders } from 'node:http';
import { addAttribute, finishAttributes, newAttributes } from './attributes.ts';
import { checkDepth, viewData } from './data-view.ts';
import { CloudEvent } from './event.ts';
import { decodeHeaderValue } from './header-value.ts';
import { type EventRules, invalidEvent, isAllowedText } from './validate.ts';

/** The specification's attributes by their headers: their names need not be cut out, nor looked at. */
const SPECIFIED: ReadonlyMap<string, string> = new Map(
  ['specversion', 'id', 'source', 'type', 'subject', 'time', 'dataschema'].map((name) => [
    `ce-${name}`,
    name,
  ]),
);

/** Whether a request says that it is a CloudEvent in binary mode: it has at least one of the required attributes. */
export function hasEventHeaders(headers: IncomingHttpHeaders): boolean {
  return (
    headers['ce-specversion'] !== undefined ||
    headers['ce-id'] !== undefined ||
    headers['ce-type'] !== undefined ||
    headers['ce-source'] !== undefined
  );
}

/** The id that a request in binary mode says it has, before anything is proved; undefined where it is none. */
export function claimedId(headers: IncomingHttpHeaders): string | undefined {
  const raw = headers['ce-id'];
  const id = typeof raw === 'string' ? decodeHeaderValue(raw) : undefined;
  return id !== undefined && isAllowedText(id) ? id : undefined;
}

/** Reads a CloudEvent in binary mode (HTTP binding 3.1). Throws RequestError 400 `invalid_event`. */
export function parseBinary(headers: IncomingHttpHeaders, body: Buffer, rules: EventRules): CloudEvent {
  const attributes = newAttributes();
  for (const header in headers) {
    if (header.charCodeAt(0) !== 0x63 || !header.startsWith('ce-')) continue;
    const specified = SPECIFIED.get(header);
    const name = specified ?? header.slice(3);
    const raw = headers[header];
    const value = decodeHeaderValue(typeof raw === 'string' ? raw : (raw?.join(', ') ?? ''));
    if (value === undefined) throw invalidEvent(name, 'is not valid UTF-8');
    if (specified === undefined) addAttribute(attributes, name, value);
    else attributes[specified] = value;
  }
  const contentType = headers['content-type'];
  if (contentType !== undefined && contentType !== '')
    addAttribute(attributes, 'datacontenttype', contentType);
  const empty = body.length === 0 && attributes['datacontenttype'] === undefined;
  checkDepth(attributes['datacontenttype'], body);
  return new CloudEvent(finishAttributes(attributes, rules), empty ? undefined : body, viewData);
}
