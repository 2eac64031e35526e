import type { RowCount } from '../journal/journal.ts';
import { STATUSES } from './instance.ts';

/** How many instances a value stream has, by state in lower case; states without any are left out. */
export type InstanceCounts = Readonly<Record<string, number>>;

/** What the journal counts, by the trigger's `namespace/name`. */
export function instanceCounts(rows: readonly RowCount[]): ReadonlyMap<string, InstanceCounts> {
  const counts = new Map<string, Record<string, number>>();
  for (const { owner, status, count } of rows) {
    if (count === 0 || !STATUSES.some((known) => known === status)) continue;
    const own = counts.get(owner) ?? {};
    own[status.toLowerCase()] = count;
    counts.set(owner, own);
  }
  return counts;
}
