import { isUtf8 } from 'node:buffer';

/** Deeper payloads are refused: writing one down again takes the stack as deep as it is. */
const MAX_DEPTH = 128;
/** Payloads of more values are refused before they are parsed: that takes up to a microsecond for each. */
const MOST_VALUES = 20_000;
const LONG_NUMBER = /\d{16}/;

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** An integer past 2^53 stays the digits it was. */
class ExactInteger {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }
}

const keepExact: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
    ? new ExactInteger(source ?? '')
    : value;

interface Writer {
  /** Members written so far. */
  members: number;
}

function write(value: unknown, depth: number, writer: Writer): string {
  // It would be written as null, so that the signature of another payload would hold.
  if (value === Infinity || value === -Infinity) throw new RangeError('too large a number');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof ExactInteger) return value.digits;
  if (depth === MAX_DEPTH) throw new RangeError('too deep');
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1, writer)).join(',')}]`;
  const names = Object.keys(value).sort();
  writer.members += names.length;
  const object = value as Readonly<Record<string, unknown>>;
  const members = names.map((name) => `${JSON.stringify(name)}:${write(object[name], depth + 1, writer)}`);
  return `{${members.join(',')}}`;
}

interface Counts {
  readonly members: number;
  /** At least as many as there are. */
  readonly values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/** Where the string that begins at `from` ends. */
function stringEnd(json: Buffer, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Counts what a JSON text holds by the marks between its strings. */
function countOf(json: Buffer): Counts {
  let members = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = stringEnd(json, at);
    else if (byte === COLON) members += 1;
    else if (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) values += 1;
  }
  return { members, values };
}

/**
 * JSON without white space and with every object's members sorted by name (UTF-16 code units), numbers as JavaScript
 * writes them. `undefined` where the body is no JSON, is nested deeper than 128, has more than 20,000 values, holds a
 * number larger than any that JavaScript has, or says a member twice: such a body means different things to different
 * readers, and the signature would hold for each of them.
 */
export function canonicalJson(body: Buffer): Buffer | undefined {
  if (!isUtf8(body)) return undefined;
  const { members, values } = countOf(body);
  if (values > MOST_VALUES) return undefined;
  const text = body.toString('utf8');
  const writer: Writer = { members: 0 };
  try {
    const reviver = LONG_NUMBER.test(text)
      ? (keepExact as (key: string, value: unknown) => unknown)
      : undefined;
    const canonical = write(JSON.parse(text, reviver), 0, writer);
    return writer.members === members ? Buffer.from(canonical, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
