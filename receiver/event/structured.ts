import { isUtf8 } from 'node:buffer';
import { RequestError } from '../errors.ts';
import { decodeBase64 } from '../verify/encoding.ts';
import { type AttributeRecord, addAttribute, finishAttributes, newAttributes } from './attributes.ts';
import { viewData } from './data-view.ts';
import { CloudEvent } from './event.ts';
import { JsonError, type JsonSpan, scanArray, scanObject, skipSpace } from './json-scanner.ts';
import { isJson } from './media-type.ts';
import { type EventRules, invalidEvent } from './validate.ts';

/** Attributes of type String, URI, URI-reference or Timestamp: in JSON always strings. */
const TEXTS = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'datacontenttype',
]);

function stringOf(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

/** An integer's canonical string (CloudEvents 1.0.2, Type System): 32 bits, no fraction, no exponent. */
function integerOf(text: string, name: string): string {
  const value = Number(text);
  // -0 is how JSON may write 0.
  if (!/^-?\d+$/.test(text) || (value | 0) !== value)
    throw invalidEvent(name, 'is a number but no 32-bit integer');
  return String(value | 0);
}

function readAttribute(json: Buffer, name: string, value: JsonSpan): string | undefined {
  if (value.kind === 'null') return undefined;
  if (value.kind === 'string') return stringOf(json, value.start, value.end);
  if (TEXTS.has(name)) throw invalidEvent(name, 'is not a string');
  const text = json.toString('latin1', value.start, value.end);
  if (value.kind === 'number') return integerOf(text, name);
  if (value.kind === 'boolean') return text;
  throw invalidEvent(name, `is an ${value.kind}; an attribute is a string, a number or a boolean`);
}

interface Envelope {
  readonly attributes: AttributeRecord;
  data: JsonSpan | undefined;
  dataBase64: JsonSpan | undefined;
}

function readMember(json: Buffer, envelope: Envelope, name: string, value: JsonSpan): void {
  if (name === 'data') {
    envelope.data = value;
  } else if (name === 'data_base64') {
    if (value.kind !== 'null') envelope.dataBase64 = value;
  } else {
    const text = readAttribute(json, name, value);
    if (text !== undefined) addAttribute(envelope.attributes, name, text);
  }
}

function refuse(message: string): RequestError {
  return new RequestError(400, 'invalid_event', message);
}

/** The data's own bytes (see CloudEvent). */
function bodyOf(json: Buffer, { attributes, data, dataBase64 }: Envelope): Buffer | undefined {
  if (dataBase64 !== undefined) {
    if (data !== undefined) throw refuse('data and data_base64 are both present; send one');
    const bytes =
      dataBase64.kind === 'string'
        ? decodeBase64(stringOf(json, dataBase64.start, dataBase64.end))
        : undefined;
    if (bytes === undefined) throw refuse('data_base64 is not Base64');
    return bytes;
  }
  if (data === undefined) return undefined;
  if (isJson(attributes['datacontenttype'])) return json.subarray(data.start, data.end);
  if (data.kind === 'null') return undefined;
  if (data.kind !== 'string') throw refuse('data is not a string, but datacontenttype is not JSON');
  const text = stringOf(json, data.start, data.end);
  if (!text.isWellFormed()) throw refuse('data holds a lone surrogate');
  return Buffer.from(text, 'utf8');
}

/** Reads the event whose envelope begins at `from`; `ended` learns where it ends. */
function readEnvelope(
  json: Buffer,
  from: number,
  rules: EventRules,
  ended?: (at: number) => void,
): CloudEvent {
  const envelope: Envelope = { attributes: newAttributes(), data: undefined, dataBase64: undefined };
  const names = new Set<string>();
  const end = scanObject(json, from, (nameStart, nameEnd, value) => {
    const name = stringOf(json, nameStart, nameEnd);
    if (names.has(name)) throw refuse(`member ${JSON.stringify(name.slice(0, 100))} is given twice`);
    names.add(name);
    readMember(json, envelope, name, value);
  });
  ended?.(end);
  const attributes = finishAttributes(envelope.attributes, rules);
  return new CloudEvent(attributes, bodyOf(json, envelope), viewData);
}

function guard<T>(json: Buffer, read: () => T): T {
  if (!isUtf8(json)) throw refuse('the body is not UTF-8');
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonError) throw refuse(`the body is not JSON: ${error.message}`);
    throw error;
  }
}

function atEnd(json: Buffer, at: number): void {
  const end = skipSpace(json, at);
  if (end !== json.length) throw new JsonError('something follows the value', end);
}

/** Reads a CloudEvent in structured mode (JSON format 3). Throws RequestError 400 `invalid_event`. */
export function parseStructured(json: Buffer, rules: EventRules): CloudEvent {
  return guard(json, () => readEnvelope(json, skipSpace(json, 0), rules, (end) => atEnd(json, end)));
}

/** Events of one batch: as many as one request may keep the receiver busy with. */
export const LARGEST_BATCH = 1000;

/**
 * Reads a batch (JSON format 4): one event or its own refusal per element, in order; an empty batch has none.
 * Throws RequestError 400 `invalid_event` where the body is no JSON array, 413 `batch_too_large`.
 */
export function parseBatch(json: Buffer, rules: EventRules): readonly (CloudEvent | RequestError)[] {
  return guard(json, () => {
    const results: (CloudEvent | RequestError)[] = [];
    const end = scanArray(json, skipSpace(json, 0), (element) => {
      if (results.length === LARGEST_BATCH) throw tooLong();
      results.push(readElement(json, element, rules));
    });
    atEnd(json, end);
    return results;
  });
}

function tooLong(): RequestError {
  const message = `a batch holds at most ${LARGEST_BATCH} events; send the rest in another`;
  return new RequestError(413, 'batch_too_large', message);
}

function readElement(json: Buffer, element: JsonSpan, rules: EventRules): CloudEvent | RequestError {
  if (element.kind !== 'object') return refuse(`an event is an object, not ${element.kind}`);
  try {
    // A copy, so that an event that waits does not keep the whole batch in memory.
    return readEnvelope(Buffer.from(json.subarray(element.start, element.end)), 0, rules);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}
