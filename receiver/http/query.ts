import { RequestError } from '../errors.ts';
import type { Query } from '../journal/journal.ts';

const TEXTS = ['source', 'id', 'type', 'trigger', 'state', 'cursor'] as const;
const TIMES = ['since', 'until'] as const;
const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

/**
 * The admin lists' query: texts as they are, `since` and `until` as RFC 3339 or milliseconds, `limit` 1 to 1000.
 * Throws RequestError 400 that names the parameter.
 */
export function parseQuery(given: Readonly<Record<string, unknown>>): Query {
  const query: Record<string, string | number> = { limit: parseLimit(given['limit']) };
  for (const name of TEXTS) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw invalid(name, 'is given once');
    query[name] = value;
  }
  for (const name of TIMES) {
    const value = given[name];
    if (value !== undefined) query[name] = parseTime(name, value);
  }
  return query as unknown as Query;
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
