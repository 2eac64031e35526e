import { quoted } from '../quoted.ts';
import type { Node } from './syntax.ts';
import {
  Failure,
  isFailure,
  MAX_INTEGER,
  MIN_INTEGER,
  type Outcome,
  type Type,
  typeOf,
  type Value,
} from './value.ts';

/** Longest text that is looked at as an integer: more digits than any value needs, in one look. */
const MAX_DIGITS = 1000;
const INTEGER = /^[+-]?\d+$/;

/** CESQL 1.0.0 section 3.7, `X -> String`; always defined. */
export function toText(value: Value): string {
  return typeof value === 'string' ? value : String(value);
}

/** Section 3.7, `X -> Integer`; `node` is what is cast. */
export function toInteger(value: Value, node: Node): Outcome<number> {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value.length > MAX_DIGITS || !INTEGER.test(value))
    return new Failure('cast', `${quoted(value)} is no integer`, node);
  const number = Number(value);
  if (number < MIN_INTEGER || number > MAX_INTEGER)
    return new Failure('cast', `${quoted(value)} does not fit into 32 bits`, node);
  // Never -0, which is no other integer than 0.
  return number | 0;
}

/** Section 3.7, `X -> Boolean`. */
export function toBoolean(value: Value, node: Node): Outcome<boolean> {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (value.length <= 5) {
    const lower = value.toLowerCase();
    if (lower === 'true') return true;
    if (lower === 'false') return false;
  }
  return new Failure('cast', `${quoted(value)} is neither true nor false`, node);
}

const CASTS: Readonly<Record<Type, (value: Value, node: Node) => Outcome>> = {
  String: toText,
  Integer: toInteger,
  Boolean: toBoolean,
};

/** Casts what was evaluated; an error goes through. */
export function cast(outcome: Outcome, type: Type, node: Node): Outcome {
  if (isFailure(outcome) || typeOf(outcome) === type) return outcome;
  return CASTS[type](outcome, node);
}
