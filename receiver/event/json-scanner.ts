/**
 * A strict JSON reader (RFC 8259) that makes nothing: it tells where values are. One pass, time linear in the bytes,
 * no recursion. The bytes must be valid UTF-8; whoever calls checks that once for the whole body.
 */

/** Bytes that are no JSON text; the message says where and why. */
export class JsonError extends Error {
  constructor(message: string, at: number) {
    super(`${message} at byte ${at}`);
    this.name = 'JsonError';
  }
}

export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

/** Where a value is: `[start, end)`. */
export interface JsonSpan {
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

export function skipSpace(json: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = json[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Where the escape whose backslash is at `at` ends. */
function escapeEnd(json: Uint8Array, at: number): number {
  const byte = json[at + 1];
  if (byte === 0x75) {
    for (let i = at + 2; i < at + 6; i++) {
      if (!isHexDigit(json[i])) throw new JsonError('a \\u escape needs four hexadecimal digits', at);
    }
    return at + 6;
  }
  if (byte === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(byte)))
    throw new JsonError('unknown escape', at);
  return at + 2;
}

function stringEnd(json: Uint8Array, from: number): number {
  let at = from + 1;
  for (;;) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    if (byte === undefined) throw new JsonError('a string does not end', from);
    if (byte < 0x20) throw new JsonError('a control character in a string', at);
    at = byte === BACKSLASH ? escapeEnd(json, at) : at + 1;
  }
}

function digitsEnd(json: Uint8Array, from: number): number {
  let at = from;
  while ((json[at] ?? 0) >= 0x30 && (json[at] ?? 0) <= 0x39) at++;
  if (at === from) throw new JsonError('a digit is missing', from);
  return at;
}

function numberEnd(json: Uint8Array, from: number): number {
  let at = json[from] === 0x2d ? from + 1 : from;
  at = json[at] === 0x30 ? at + 1 : digitsEnd(json, at);
  if (json[at] === 0x2e) at = digitsEnd(json, at + 1);
  if (json[at] === 0x65 || json[at] === 0x45) {
    const sign = json[at + 1];
    at = digitsEnd(json, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
  }
  return at;
}

function wordEnd(json: Uint8Array, from: number, word: Buffer): number {
  for (let i = 0; i < word.length; i++) {
    if (json[from + i] !== word[i]) throw new JsonError('unknown word', from);
  }
  return from + word.length;
}

/** Where the scalar at `from` ends. */
function scalarEnd(json: Uint8Array, from: number): number {
  const byte = json[from];
  if (byte === QUOTE) return stringEnd(json, from);
  if (byte === 0x74) return wordEnd(json, from, TRUE);
  if (byte === 0x66) return wordEnd(json, from, FALSE);
  if (byte === 0x6e) return wordEnd(json, from, NULL);
  if (byte === 0x2d || (byte !== undefined && byte >= 0x30 && byte <= 0x39)) return numberEnd(json, from);
  throw new JsonError(byte === undefined ? 'the text ends too early' : 'a value is missing', from);
}

/** After a member's name: where its value begins. */
function memberValue(json: Uint8Array, from: number): number {
  if (json[from] !== QUOTE) throw new JsonError('a member name is missing', from);
  const colon = skipSpace(json, stringEnd(json, from));
  if (json[colon] !== COLON) throw new JsonError('a colon is missing', colon);
  return skipSpace(json, colon + 1);
}

/** How deep values may lie in one another: what reads them later may well recurse. */
export const DEEPEST = 128;

/** Where the object or array at `from` ends. `open` holds the closing bytes still owed. */
function containerEnd(json: Uint8Array, from: number): number {
  const open: number[] = [];
  let at = from;
  for (;;) {
    // Here a value begins.
    const byte = json[at];
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (open.length === DEEPEST) throw new JsonError(`nested deeper than ${DEEPEST} levels`, at);
      const close = byte + 2;
      at = skipSpace(json, at + 1);
      if (json[at] !== close) {
        open.push(close);
        if (close === CLOSE_OBJECT) at = memberValue(json, at);
        continue;
      }
      at++;
    } else {
      at = scalarEnd(json, at);
    }
    at = closeAll(json, at, open);
    if (open.length === 0) return at;
    // A comma was passed: the next value follows.
    if (open[open.length - 1] === CLOSE_OBJECT) at = memberValue(json, at);
  }
}

/** After a value: passes closing brackets, then the comma before the next value, if containers are still open. */
function closeAll(json: Uint8Array, from: number, open: number[]): number {
  let at = from;
  while (open.length > 0) {
    at = skipSpace(json, at);
    if (json[at] === COMMA) return skipSpace(json, at + 1);
    if (json[at] !== open[open.length - 1])
      throw new JsonError('a comma or a closing bracket is missing', at);
    open.pop();
    at++;
  }
  return at;
}

const KINDS: ReadonlyMap<number, JsonKind> = new Map([
  [QUOTE, 'string'],
  [0x74, 'boolean'],
  [0x66, 'boolean'],
  [0x6e, 'null'],
  [OPEN_OBJECT, 'object'],
  [OPEN_ARRAY, 'array'],
]);

/** Reads the value at `from`, with all that is in it. */
export function scanValue(json: Uint8Array, from: number): JsonSpan {
  const kind = KINDS.get(json[from] ?? 0) ?? 'number';
  const end = kind === 'object' || kind === 'array' ? containerEnd(json, from) : scalarEnd(json, from);
  return { kind, start: from, end };
}

/** After a value in a container: whether another follows (and where), or the container ends (and where). */
function next(
  json: Uint8Array,
  from: number,
  close: number,
): { readonly more: boolean; readonly at: number } {
  const at = skipSpace(json, from);
  if (json[at] === close) return { more: false, at: at + 1 };
  if (json[at] !== COMMA) throw new JsonError('a comma or a closing bracket is missing', at);
  return { more: true, at: skipSpace(json, at + 1) };
}

/**
 * Calls `visit` for each member of the object at `from`, in order; `nameEnd` is past the closing quote.
 * Answers where the object ends.
 */
export function scanObject(
  json: Uint8Array,
  from: number,
  visit: (nameStart: number, nameEnd: number, value: JsonSpan) => void,
): number {
  if (json[from] !== OPEN_OBJECT) throw new JsonError('an object is expected', from);
  let at = skipSpace(json, from + 1);
  if (json[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    const start = at;
    const valueAt = memberValue(json, at);
    const value = scanValue(json, valueAt);
    visit(start, stringEnd(json, start), value);
    const after = next(json, value.end, CLOSE_OBJECT);
    at = after.at;
    if (!after.more) return at;
  }
}

/** Calls `visit` for each element of the array at `from`; answers where the array ends. */
export function scanArray(json: Uint8Array, from: number, visit: (value: JsonSpan) => void): number {
  if (json[from] !== OPEN_ARRAY) throw new JsonError('an array is expected', from);
  let at = skipSpace(json, from + 1);
  if (json[at] === CLOSE_ARRAY) return at + 1;
  for (;;) {
    const value = scanValue(json, at);
    visit(value);
    const after = next(json, value.end, CLOSE_ARRAY);
    at = after.at;
    if (!after.more) return at;
  }
}

/**
 * Whether brackets lie deeper in one another than `DEEPEST`, also in what is no JSON. One pass that reads strings over;
 * a body too short for so many brackets costs nothing.
 */
export function isTooDeep(json: Uint8Array): boolean {
  if (json.length <= DEEPEST) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = closingQuote(json, at);
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (++depth > DEEPEST) return true;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--;
    }
  }
  return false;
}

/** Where the string that begins at `from` has its closing quote, or the end. */
function closingQuote(json: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Whether `json` is one JSON value with nothing but white space around it. The UTF-8 is not looked at. */
export function isJsonText(json: Uint8Array): boolean {
  try {
    return skipSpace(json, scanValue(json, skipSpace(json, 0)).end) === json.length;
  } catch {
    return false;
  }
}
