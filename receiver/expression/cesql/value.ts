import type { Node } from './syntax.ts';

/** A CESQL value (CESQL 1.0.0 section 3.1); a number is an integer of 32 bits. */
export type Value = string | number | boolean;

export type Type = 'String' | 'Integer' | 'Boolean';

/** What an expression sees: a null-prototype object of attributes by name. */
export type Attributes = Readonly<Record<string, Value>>;

/** Section 3.3, without ParseError; `generic` is an expression that became too costly. */
export type ErrorKind =
  | 'math'
  | 'cast'
  | 'missingAttribute'
  | 'missingFunction'
  | 'functionEvaluation'
  | 'generic';

/**
 * An error that evaluation met. It is handed up as a value and not thrown: in a filter over attributes that some events
 * lack it is nothing out of the ordinary, and must cost as little as an answer.
 */
export class Failure {
  readonly kind: ErrorKind;
  readonly message: string;
  /** The operation that failed. */
  readonly node: Node;
  /** What that operation yields beside the error, where it is not its type's zero value. */
  readonly value: Value | undefined;

  constructor(kind: ErrorKind, message: string, node: Node, value?: Value) {
    this.kind = kind;
    this.message = message;
    this.node = node;
    this.value = value;
  }
}

/** What evaluating a node gives. */
export type Outcome<V extends Value = Value> = V | Failure;

export const MIN_INTEGER = -(2 ** 31);
export const MAX_INTEGER = 2 ** 31 - 1;

const ZERO: Readonly<Record<Type, Value>> = { String: '', Integer: 0, Boolean: false };

/** Section 3.1: what stands for a value of a type that an error kept from being computed. */
export function zeroOf(type: Type): Value {
  return ZERO[type];
}

export function typeOf(value: Value): Type {
  if (typeof value === 'string') return 'String';
  return typeof value === 'number' ? 'Integer' : 'Boolean';
}

export function isFailure(outcome: Outcome): outcome is Failure {
  return typeof outcome === 'object';
}
