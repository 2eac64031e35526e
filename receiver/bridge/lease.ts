import type { RowWrite, StateRow } from '../journal/journal.ts';

/** Who reads: one row for each bridge, held by one receiver at a time. */
export const LEASE_KIND = 'lease';
/** Its holder writes it anew so often, */
export const RENEW_MS = 2000;
/** and who sees that it did not for so long takes it over. By the watcher's own clock: clocks differ. */
const STALE_MS = 6000;

/** What a receiver has seen of a lease. */
export interface SeenLease {
  readonly version: number;
  readonly holder: string;
  /** When this version was first seen. */
  readonly since: number;
}

/** What to do about a bridge's lease. */
export type LeaseStep = 'take' | 'wait';

/** What was seen of a lease, the row as it is now included; undefined: nobody holds it. */
export function seenLease(
  row: StateRow | undefined,
  before: SeenLease | undefined,
  now: number,
): SeenLease | undefined {
  if (row === undefined) return undefined;
  if (before?.version === row.version) return before;
  const { holder } = JSON.parse(row.body) as { readonly holder?: string };
  return { version: row.version, holder: holder ?? '', since: now };
}

/** Whether to take a lease. One of our own name is of a process that has ended: it is taken back at once. */
export function leaseStep(seen: SeenLease | undefined, me: string, now: number): LeaseStep {
  if (seen === undefined || seen.holder === me) return 'take';
  return now - seen.since >= STALE_MS || now < seen.since ? 'take' : 'wait';
}

/** Writes a lease, if nobody else has since `expect` was seen. */
export function writeLease(
  entrance: string,
  owner: string,
  holder: string,
  expect: number,
  at: number,
): RowWrite {
  const body = JSON.stringify({ holder, until: at + STALE_MS });
  return { kind: LEASE_KIND, id: entrance, expect, at, owner, status: 'Held', body };
}

/** Gives a lease back. */
export function removeLease(entrance: string, expect: number): RowWrite {
  return { kind: LEASE_KIND, id: entrance, expect, remove: true };
}
