import type { Schema } from '../definition.ts';
import type { Finding } from '../finding.ts';
import { nearest } from '../nearest.ts';
import { checkArray, checkNumber, checkObject, checkString } from './bounds.ts';
import { memberSchema } from './defaults.ts';
import { isRecord } from './record.ts';
import type { Rules } from './rules.ts';

/** Tells one finding: its field, then what is wrong and the remedy. */
export type Report = (field: string, message: string) => void;

/** Every finding of a value against its schema, in the order in which the value is written. */
export function checkValue(value: unknown, schema: Schema, field: string, rules: Rules): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (at, message) => findings.push({ field: at, message });
  const visit = (current: unknown, its: Schema, at: string): void => {
    if (current === null && its.nullable === true) return;
    if (!checkType(current, its, at, report)) return;
    checkEnum(current, its, at, report);
    if (isRecord(current)) visitMembers(current, its, at);
    else if (Array.isArray(current)) visitItems(current, its, at);
    rules.check(current, its, at, report);
  };
  const visitMembers = (object: Record<string, unknown>, its: Schema, at: string): void => {
    for (const [name, member] of Object.entries(object)) {
      const property = memberSchema(its, name);
      if (property !== undefined) visit(member, property, `${at}.${name}`);
      else if (its['x-kubernetes-preserve-unknown-fields'] !== true) reportUnknown(name, its, at, report);
    }
  };
  const visitItems = (items: readonly unknown[], its: Schema, at: string): void => {
    const { items: itemSchema } = its;
    if (itemSchema !== undefined) items.forEach((item, i) => visit(item, itemSchema, `${at}[${i}]`));
  };
  visit(value, schema, field);
  return findings;
}

function reportUnknown(name: string, schema: Schema, field: string, report: Report): void {
  const known = Object.keys(schema.properties ?? {});
  const meant = nearest(name, known);
  const remedy =
    meant === undefined ? `remove it, or use one of ${known.join(', ')}` : `did you mean ${meant}?`;
  report(`${field}.${name}`, `is an unknown field: ${known.length === 0 ? 'remove it' : remedy}`);
}

interface TypeCheck {
  readonly is: (value: unknown) => boolean;
  readonly called: string;
  readonly check?: (value: never, schema: Schema, field: string, report: Report) => void;
}

const TYPES: Readonly<Record<string, TypeCheck>> = {
  object: { is: isRecord, called: 'an object', check: checkObject },
  array: { is: Array.isArray, called: 'a list', check: checkArray },
  string: { is: (value) => typeof value === 'string', called: 'a string', check: checkString },
  integer: { is: Number.isInteger, called: 'a whole number', check: checkNumber },
  number: { is: Number.isFinite, called: 'a number', check: checkNumber },
  boolean: { is: (value) => typeof value === 'boolean', called: 'true or false' },
};

/** False where the value is of another type, so that nothing more can be said about it. */
function checkType(value: unknown, schema: Schema, field: string, report: Report): boolean {
  const type = schema['x-kubernetes-int-or-string'] === true ? numberOrString(value) : schema.type;
  if (type === undefined) return true;
  const { is, called, check } = TYPES[type] ?? { is: () => false, called: type };
  if (!is(value)) {
    const or = schema['x-kubernetes-int-or-string'] === true ? 'a whole number or a string' : called;
    report(field, `must be ${or}, not ${describe(value)}`);
    return false;
  }
  check?.(value as never, schema, field, report);
  return true;
}

function numberOrString(value: unknown): 'integer' | 'string' {
  return typeof value === 'string' ? 'string' : 'integer';
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  return typeof value === 'string' ? 'a string' : `${value as number | boolean}`;
}

function checkEnum(value: unknown, schema: Schema, field: string, report: Report): void {
  const { enum: allowed } = schema;
  if (allowed === undefined || allowed.includes(value)) return;
  const names = allowed.map(String);
  const meant = typeof value === 'string' ? nearest(value, names) : undefined;
  report(field, `must be ${oneOf(names)}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? String(names[0]) : `one of ${names.join(', ')}`;
}
