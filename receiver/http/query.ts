import { RequestError } from '../errors.ts';
import type { Query } from '../journal/journal.ts';
import type { RefusalQuery } from '../observe/refusal-query.ts';

type Given = Readonly<Record<string, unknown>>;

const TIMES = ['since', 'until'] as const;
const CURSOR = /^\d{1,15}$/;
/** A refusal's id. */
const REFUSAL_CURSOR = /^[0-9a-f]{26}$/;
const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

/**
 * The admin lists' query: texts as they are, `since` and `until` as RFC 3339 or milliseconds, `limit` 1 to 1000.
 * Throws RequestError 400 that names the parameter.
 */
export function parseQuery(given: Given): Query {
  return parse(given, ['source', 'id', 'type', 'trigger', 'state', 'cursor']) as unknown as Query;
}

/** As `parseQuery`, for the list of what was refused. */
export function parseRefusalQuery(given: Given): RefusalQuery {
  return parse(given, ['entrance', 'code', 'id', 'cursor'], REFUSAL_CURSOR) as unknown as RefusalQuery;
}

function parse(given: Given, texts: readonly string[], cursors = CURSOR): Record<string, string | number> {
  const query: Record<string, string | number> = { limit: parseLimit(given['limit']) };
  for (const name of texts) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw invalid(name, 'is given once');
    query[name] = value;
  }
  const { cursor } = query;
  if (cursor !== undefined && !cursors.test(String(cursor)))
    throw invalid('cursor', 'is the `next` of a page; leave it out to begin with the newest');
  for (const name of TIMES) {
    const value = given[name];
    if (value !== undefined) query[name] = parseTime(name, value);
  }
  return query;
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
  if (Number.isNaN(time))
    throw invalid(name, 'is a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970');
  return time;
}

function invalid(name: string, rule: string): RequestError {
  return new RequestError(400, 'invalid_query', `\`${name}\` ${rule}.`);
}
