import { type Budget, ValueError } from './budget.ts';

const MAX_DEPTH = 256;
const MANY_MEMBERS = 1000;

/** Whether a value is a JSON object as parsed: nothing that a class made, whatever its members are called. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Aggregate = unknown[] | Record<string, unknown>;

/** Whether a value is a JSON array or object. */
export function isAggregate(value: unknown): value is Aggregate {
  return Array.isArray(value) || isPlainObject(value);
}

/**
 * Pays for having listed an object's members. One of many members is a hash table inside, and putting those in order
 * takes some 0.15 µs each.
 */
export function spendOnMembers(count: number, budget: Budget): void {
  budget.spend(count < MANY_MEMBERS ? count / 2 : count * 1.5);
}

/** Pays for comparing two texts to the end of the shorter one, at some 1 ns a character where one is not Latin. */
export function spendOnComparing(a: string, b: string, budget: Budget): void {
  budget.spend(Math.min(a.length, b.length) / 128);
}

/** Deep equality of JSON values; integers of either kind and doubles are compared by value. Throws CostExceeded. */
export function jsonEqual(a: unknown, b: unknown, budget: Budget, depth: number = 0): boolean {
  if (typeof a === 'string' && typeof b === 'string') return textsEqual(a, b, budget);
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') return numericEqual(a, b);
  if (!isAggregate(a) || !isAggregate(b)) return false;
  return aggregatesEqual(a, b, budget, depth);
}

function textsEqual(a: string, b: string, budget: Budget): boolean {
  if (a.length !== b.length) return false;
  spendOnComparing(a, b, budget);
  return a === b;
}

function aggregatesEqual(a: Aggregate, b: Aggregate, budget: Budget, depth: number): boolean {
  if (depth > MAX_DEPTH) throw new ValueError('values are nested too deeply to compare');
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && arraysEqual(a, b, budget, depth);
  }
  return objectsEqual(a, b, budget, depth);
}

function numericEqual(a: unknown, b: unknown): boolean {
  // Ordering compares an integer with a double by value, which === never does.
  return isNumeric(a) && isNumeric(b) && a <= b && a >= b;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function arraysEqual(a: readonly unknown[], b: readonly unknown[], budget: Budget, depth: number): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    budget.spend(0.5);
    if (!jsonEqual(a[i], b[i], budget, depth + 1)) return false;
  }
  return true;
}

function objectsEqual(
  a: Record<string, unknown>,
  b: Record<string, unknown>,
  budget: Budget,
  depth: number,
): boolean {
  const keys = Object.keys(a);
  budget.spend(1 + keys.length / 2);
  spendOnMembers(keys.length, budget);
  if (Object.keys(b).length !== keys.length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key) || !jsonEqual(a[key], b[key], budget, depth + 1)) return false;
  }
  return true;
}
