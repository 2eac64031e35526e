import type { Schema } from '../definition.ts';
import type { Report } from './check.ts';
import { isDateTime } from './date-time.ts';
import { unlike } from './patterns.ts';

/** Required members and how many there may be. */
export function checkObject(
  value: Record<string, unknown>,
  schema: Schema,
  field: string,
  report: Report,
): void {
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) report(`${field}.${name}`, 'is required: add it');
  }
  const { minProperties = 0, maxProperties = Infinity, properties = {} } = schema;
  const count = Object.keys(value).length;
  const union = minProperties === 1 && maxProperties === 1 && schema.properties !== undefined;
  if (union && count !== 1) {
    report(field, `must have exactly one of ${Object.keys(properties).join(', ')}, not ${count}`);
  } else {
    checkCount(count, [minProperties, maxProperties], 'members', field, report);
  }
}

/** How many items there may be, and what must not come twice. */
export function checkArray(value: readonly unknown[], schema: Schema, field: string, report: Report): void {
  checkCount(value.length, [schema.minItems ?? 0, schema.maxItems ?? Infinity], 'items', field, report);
  const keyOf = identityOf(schema);
  if (keyOf === undefined) return;
  const seen = new Map<string, number>();
  value.forEach((item, i) => {
    const key = keyOf(item);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, i);
    else report(`${field}[${i}]`, `repeats ${field}[${first}] (${key}): rename or remove one of them`);
  });
}

/** What tells one item of a set or a list map from another. */
function identityOf(schema: Schema): ((item: unknown) => string) | undefined {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'set') return (item) => JSON.stringify(item) ?? '';
  if (listType !== 'map') return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return (item) =>
    keys.map((key) => `${key} ${JSON.stringify((item as Record<string, unknown> | null)?.[key])}`).join(', ');
}

/** Length in characters, the pattern, and the format. */
export function checkString(value: string, schema: Schema, field: string, report: Report): void {
  const { minLength = 0, maxLength = Infinity, pattern, format } = schema;
  checkCount(countCharacters(value, maxLength), [minLength, maxLength], 'characters', field, report);
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) report(field, unlike(pattern));
  if (format === 'date-time' && !isDateTime(value)) {
    report(field, 'must be a time in RFC 3339, like 2027-01-31T00:00:00Z');
  }
}

/** Code points, as the API server counts; a string too long in any case is not gone through. */
function countCharacters(value: string, maxLength: number): number {
  return value.length > 2 * maxLength ? value.length : Array.from(value).length;
}

/** Least and greatest. */
export function checkNumber(value: number, schema: Schema, field: string, report: Report): void {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  if (value < minimum) report(field, `must be ${minimum} or more, not ${value}`);
  if (value > maximum) report(field, `must be ${maximum} or less, not ${value}`);
}

type Range = readonly [least: number, most: number];

function checkCount(count: number, [least, most]: Range, what: string, field: string, report: Report): void {
  if (count < least)
    report(field, count === 0 ? 'must not be empty' : `must have at least ${least} ${what}, not ${count}`);
  if (count > most) report(field, `must have at most ${most} ${what}, not ${count}`);
}
