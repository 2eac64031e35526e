import { isUtf8 } from 'node:buffer';
import { isTooDeep, type JsonSpan, scanArray, scanObject, skipSpace } from '../event/json-scanner.ts';

/** A message of the backend's that cannot be read; the message says why. */
export class BrokenMessage extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenMessage';
  }
}

/** The members of a JSON object, each still the bytes that it came as; of two of one name the last counts. */
export interface Members {
  /** A text, or a number as one; undefined where it is anything else, or empty. */
  text(name: string): string | undefined;
  /** The value's own bytes. */
  raw(name: string): Buffer | undefined;
  readonly names: Iterable<string>;
  /** Whether the value is a text, a number or a boolean. */
  isScalar(name: string): boolean;
}

/** Reads a JSON object without touching its values. Throws BrokenMessage. */
export function readMembers(json: Buffer): Members {
  if (!isUtf8(json)) throw new BrokenMessage('it is not UTF-8');
  return readRawMembers(json);
}

/** The same of an object that holds many messages: one that is no UTF-8 leaves the others readable. */
export function readRawMembers(json: Buffer): Members {
  const spans = new Map<string, JsonSpan>();
  try {
    const end = scanObject(json, skipSpace(json, 0), (start, to, value) => {
      spans.set(textOf(json, start, to), value);
    });
    if (skipSpace(json, end) !== json.length) throw new BrokenMessage('something follows the JSON object');
  } catch (error) {
    if (error instanceof BrokenMessage) throw error;
    throw new BrokenMessage(
      `it is no JSON object: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (isTooDeep(json)) throw new BrokenMessage('it is nested too deeply');
  return {
    text(name) {
      const span = spans.get(name);
      if (span === undefined) return undefined;
      if (span.kind === 'string') return textOf(json, span.start, span.end) || undefined;
      return span.kind === 'number' ? json.toString('latin1', span.start, span.end) : undefined;
    },
    raw(name) {
      const span = spans.get(name);
      return span === undefined || span.kind === 'null' ? undefined : json.subarray(span.start, span.end);
    },
    names: spans.keys(),
    isScalar(name) {
      const kind = spans.get(name)?.kind;
      return kind === 'string' || kind === 'number' || kind === 'boolean';
    },
  };
}

/** Each item of a JSON array, as its own bytes. Throws BrokenMessage. */
export function itemsOf(json: Buffer): readonly Buffer[] {
  const items: Buffer[] = [];
  try {
    const after = scanArray(
      json,
      skipSpace(json, 0),
      ({ start, end }) => void items.push(json.subarray(start, end)),
    );
    if (skipSpace(json, after) !== json.length) throw new BrokenMessage('something follows the JSON array');
  } catch (error) {
    if (error instanceof BrokenMessage) throw error;
    throw new BrokenMessage(`it is no JSON array: ${error instanceof Error ? error.message : String(error)}`);
  }
  return items;
}

function textOf(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
