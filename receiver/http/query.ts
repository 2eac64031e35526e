import { nearest } from '../../crds/nearest.ts';
import { RequestError } from '../errors.ts';
import { DELIVERY_STATES, type Query } from '../journal/journal.ts';
import type { RefusalQuery } from '../observe/refusal-query.ts';
import { STATUSES } from '../streams/instance.ts';

type Given = Readonly<Record<string, unknown>>;

/** What one list can be narrowed by; `limit` and `cursor` go with each. */
interface Narrowing {
  readonly texts: readonly string[];
  readonly states?: readonly string[];
  readonly times?: readonly string[];
  readonly cursors?: RegExp;
}

const CURSOR = /^\d{1,15}$/;
/** A refusal's id. */
const REFUSAL_CURSOR = /^[0-9a-f]{26}$/;
const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

const TIMES = ['since', 'until'];
const DEAD_LETTERS: Narrowing = { texts: ['source', 'id', 'type', 'trigger'], times: TIMES };
const DELIVERIES: Narrowing = { ...DEAD_LETTERS, states: DELIVERY_STATES };
const INSTANCES: Narrowing = { texts: ['trigger'], states: STATUSES };
const REFUSALS: Narrowing = { texts: ['entrance', 'code', 'id'], times: TIMES, cursors: REFUSAL_CURSOR };

/** A trigger's name in the journal; that of a bridge's own sink has its kind before it. */
const TRIGGER = /^(?:EventBridge\/)?[^/]+\/[^/]+$/;

/**
 * The query of the lists of events and deliveries: texts as they are, `since` and `until` as RFC 3339 or milliseconds,
 * `limit` 1 to 1000. What is misspelt would be a list of everything, or an empty one: it throws RequestError 400 that names
 * the parameter.
 */
export function parseQuery(given: Given): Query {
  return parse(given, DELIVERIES) as unknown as Query;
}

/** As `parseQuery`, for the list of dead letters. */
export function parseDeadLetterQuery(given: Given): Omit<Query, 'state'> {
  return parse(given, DEAD_LETTERS) as unknown as Omit<Query, 'state'>;
}

/** As `parseQuery`, for the list of instances. */
export function parseInstanceQuery(given: Given): Pick<Query, 'trigger' | 'state' | 'limit' | 'cursor'> {
  return parse(given, INSTANCES) as unknown as Pick<Query, 'trigger' | 'state' | 'limit' | 'cursor'>;
}

/** As `parseQuery`, for the list of what was refused. */
export function parseRefusalQuery(given: Given): RefusalQuery {
  return parse(given, REFUSALS) as unknown as RefusalQuery;
}

function parse(
  given: Given,
  { texts, states = [], times = [], cursors = CURSOR }: Narrowing,
): Record<string, string | number> {
  const words = [...texts, ...(states.length > 0 ? ['state'] : []), 'cursor'];
  checkKnown(given, [...words, ...times, 'limit']);
  const query: Record<string, string | number> = { limit: parseLimit(given['limit']) };
  for (const name of words) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw invalid(name, 'is given once');
    query[name] = value;
  }
  checkWords(query, states, cursors);
  for (const name of times) {
    const value = given[name];
    if (value !== undefined) query[name] = parseTime(name, value);
  }
  return query;
}

function checkWords(
  { cursor, state, trigger }: Readonly<Record<string, string | number>>,
  states: readonly string[],
  cursors: RegExp,
): void {
  if (cursor !== undefined && !cursors.test(String(cursor)))
    throw invalid('cursor', 'is the `next` of a page; leave it out to begin with the newest');
  if (state !== undefined && !states.includes(String(state)))
    throw invalid('state', `is one of ${states.join(', ')}`);
  if (trigger !== undefined && !TRIGGER.test(String(trigger)))
    throw invalid('trigger', 'is namespace/name, or EventBridge/namespace/name for a bridge’s own sink');
}

function checkKnown(given: Given, known: readonly string[]): void {
  const stray = Object.keys(given).find((name) => !known.includes(name));
  if (stray === undefined) return;
  const meant = nearest(stray, known);
  const remedy = meant === undefined ? `this list takes ${known.join(', ')}` : `did you mean \`${meant}\``;
  throw invalid(stray, `is not known; ${remedy}`);
}

function parseLimit(value: unknown): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_LIMIT)
    throw invalid('limit', `is a whole number from 1 to ${LARGEST_LIMIT}`);
  return limit;
}

function parseTime(name: string, value: unknown): number {
  const text = String(value);
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isSafeInteger(time))
    throw invalid(name, 'is a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970');
  return time;
}

function invalid(name: string, rule: string): RequestError {
  return new RequestError(400, 'invalid_query', `\`${name}\` ${rule}.`);
}
