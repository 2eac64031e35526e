import { type Budget, ValueError } from './budget.ts';
import { isAggregate } from './json-value.ts';

/** Steps that a call may take at worst on these operands (the receiver first). Throws where they are refused. */
export type CallCost = (operands: readonly unknown[], budget: Budget) => number;

const MAX_OPERAND_DEPTH = 32;
const TIME_ZONE_STEPS = 2000;
const MAX_DURATION_LENGTH = 64;

const COSTS: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['contains', searchCost],
  ['indexOf', searchCost],
  ['lastIndexOf', searchCost],
  ['split', splitCost],
  ['duration', durationCost],
  ['getDate', calendarCost],
  ['getDayOfMonth', calendarCost],
  ['getDayOfWeek', calendarCost],
  ['getDayOfYear', calendarCost],
  ['getFullYear', calendarCost],
  ['getHours', calendarCost],
  ['getMinutes', calendarCost],
  ['getMonth', calendarCost],
  ['getSeconds', calendarCost],
]);

/** The cost of calling a function by its name; any other is taken to read its operands once. */
export function callCost(name: string): CallCost {
  return COSTS.get(name) ?? readingCost;
}

function readingCost(operands: readonly unknown[]): number {
  let steps = 1;
  for (const operand of operands) steps += sizeOf(operand);
  return steps;
}

function sizeOf(operand: unknown): number {
  if (typeof operand === 'string') return operand.length / 16;
  if (operand instanceof Uint8Array) return operand.length / 16;
  if (!isAggregate(operand)) return 0;
  refuseDeep(operand);
  if (!Array.isArray(operand)) return 2 * Object.keys(operand).length;
  let steps = operand.length;
  for (const item of operand) if (typeof item === 'string') steps += item.length / 64;
  return steps;
}

/** The engine finds an operand's type along its first members and keeps every type it meets. */
function refuseDeep(operand: unknown): void {
  let value: unknown = operand;
  for (let depth = 0; isAggregate(value); depth++) {
    if (depth > MAX_OPERAND_DEPTH) throw new ValueError('the value is nested too deeply for a function');
    value = firstOf(value);
  }
}

function firstOf(value: unknown[] | Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value[0];
  for (const key in value) return value[key];
  return undefined;
}

/** Searching a text for another compares at worst each pair of characters. */
function searchCost(operands: readonly unknown[]): number {
  const [text, part] = operands;
  if (typeof text !== 'string' || typeof part !== 'string') return readingCost(operands);
  const places = Math.max(0, text.length - part.length + 1);
  return 1 + (places * Math.max(part.length, 4)) / 128;
}

/** At worst each character becomes a text of its own. */
function splitCost(operands: readonly unknown[]): number {
  const [text] = operands;
  return searchCost(operands) + (typeof text === 'string' ? text.length / 12 : 0);
}

function durationCost(operands: readonly unknown[]): number {
  const [text] = operands;
  if (typeof text === 'string' && text.length > MAX_DURATION_LENGTH) {
    throw new ValueError(`duration() takes at most ${MAX_DURATION_LENGTH} characters`);
  }
  return 20;
}

/** With a time zone, the platform's calendar is asked, and that takes its time. */
function calendarCost(operands: readonly unknown[]): number {
  return operands.length > 1 ? TIME_ZONE_STEPS : 5;
}
