import { nearest } from '../../crds/nearest.ts';
import type { RedriveRequest } from '../deliver/redrive.ts';
import { RequestError } from '../errors.ts';
import { parseDeadLetterQuery } from './query.ts';

const FILTERS = ['source', 'id', 'type', 'trigger', 'since', 'until'] as const;
const PAGING = ['limit', 'cursor'] as const;
const KNOWN = ['ids', 'all', ...FILTERS, ...PAGING, 'dryRun', 'perSecond'];
/** Ids in one call. */
const MOST_IDS = 1000;
const FASTEST = 100_000;

/**
 * Reads the body of `POST /api/redrive`: `{ids}`, a filter (`source`, `id`, `type`, `trigger`, `since`, `until`) or
 * `{all: true}`; with `dryRun`, `perSecond`, and for a filter `limit` and `cursor`. Throws RequestError 400 that names the
 * field.
 */
export function parseRedrive(body: unknown): RedriveRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('the body', 'is a JSON object, for example {"ids":[1]} or {"trigger":"shop/pack"}');
  const given = body as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (KNOWN.includes(name)) continue;
    const meant = nearest(name, KNOWN);
    throw invalid(`\`${name}\``, `is not known${meant === undefined ? '' : `; did you mean \`${meant}\``}`);
  }
  const how = { dryRun: flag(given, 'dryRun'), ...rate(given['perSecond']) };
  const filtered = FILTERS.some((name) => given[name] !== undefined);
  const ways = [given['ids'] !== undefined, filtered, flag(given, 'all')].filter(Boolean).length;
  if (ways !== 1)
    throw invalid('the body', 'names the dead letters in one way: `ids`, a filter, or `all` with true');
  if (given['ids'] !== undefined) {
    for (const name of PAGING)
      if (given[name] !== undefined) throw invalid(`\`${name}\``, 'does not go with `ids`; leave it out');
    return { ...how, ids: idsOf(given['ids']) };
  }
  const narrowing = Object.fromEntries([...FILTERS, ...PAGING].map((name) => [name, given[name]]));
  const { limit, cursor, ...filter } = parseDeadLetterQuery(narrowing);
  return { ...how, filter, limit, ...(cursor === undefined ? {} : { cursor }) };
}

function idsOf(value: unknown): readonly number[] {
  const ids: unknown[] = Array.isArray(value) ? value : [];
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && Number(id) > 0;
  if (ids.length === 0 || ids.length > MOST_IDS || !ids.every(isId))
    throw invalid('`ids`', `is a list of 1 to ${MOST_IDS} deliveries' numbers`);
  return ids;
}

function flag(given: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = given[name];
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw invalid(`\`${name}\``, 'is true or false');
  return value;
}

function rate(value: unknown): { readonly perSecond?: number } {
  if (value === undefined) return {};
  if (typeof value !== 'number' || !(value > 0 && value <= FASTEST))
    throw invalid('`perSecond`', `is a number above 0, at most ${FASTEST}`);
  return { perSecond: value };
}

function invalid(what: string, rule: string): RequestError {
  return new RequestError(400, 'invalid_redrive', `${what} ${rule}.`);
}
