import { isUtf8 } from 'node:buffer';

/** Deeper payloads are refused: writing one down again takes the stack as deep as it is. */
const MAX_DEPTH = 128;
const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
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

function membersOf(text: string): number {
  return text.replace(STRINGS, '').split(':').length - 1;
}

/**
 * JSON without white space and with every object's members sorted by name (UTF-16 code units), numbers as JavaScript
 * writes them. `undefined` where the body is no JSON, is nested deeper than 128, or says a member twice: such a body means
 * different things to different readers, and the signature would hold for each of them.
 */
export function canonicalJson(body: Buffer): Buffer | undefined {
  if (!isUtf8(body)) return undefined;
  const text = body.toString('utf8');
  const writer: Writer = { members: 0 };
  try {
    const reviver = LONG_NUMBER.test(text)
      ? (keepExact as (key: string, value: unknown) => unknown)
      : undefined;
    const canonical = write(JSON.parse(text, reviver), 0, writer);
    return writer.members === membersOf(text) ? Buffer.from(canonical, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
