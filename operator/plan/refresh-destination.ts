import type { Destination } from '../../receiver/routing/table.ts';
import type { PlannedDestination } from './destination.ts';

/**
 * The last good destination with today's credentials, for an edit that is refused: what the edit itself would change
 * stays as it was, but a Secret that was rotated counts, and one that is gone makes deliveries wait. A header that the
 * refused edit leaves out keeps its value: which Secret it came from is no longer told.
 */
export function refreshDestination(kept: Destination, now: PlannedDestination | undefined): Destination {
  if (now === undefined || now.destination.kind !== kept.kind) return kept;
  const { unresolved } = now.destination;
  if (unresolved !== undefined && now.lacks.some((lack) => lack.reason.startsWith('Secret'))) {
    const { sign: _, ...rest } = kept;
    return { ...rest, headers: [], unresolved };
  }
  // What waited for a Secret or an address has nothing that runs: it takes the edit's, if that is whole.
  if (kept.unresolved !== undefined) {
    return now.lacks.length === 0 && now.findings.length === 0 ? now.destination : kept;
  }
  const current = new Map(now.destination.headers.map(({ name, value }) => [name.toLowerCase(), value]));
  const headers = kept.headers.map(({ name, value }) => ({
    name,
    value: current.get(name.toLowerCase()) ?? value,
  }));
  // Keys are told by name, so that one that was rotated or removed since counts at once.
  const sign = kept.sign && now.destination.sign && { ...kept.sign, keys: now.destination.sign.keys };
  return { ...kept, headers, ...(sign === undefined ? {} : { sign }) };
}
