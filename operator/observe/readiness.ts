/** How an operator stands. */
export interface Standing {
  readonly leads: boolean;
  /** Everything has been read once. */
  readonly synced: boolean;
  /** Milliseconds since the API server last said anything. */
  readonly staleMs: number;
  /** What the API server refuses: the Lease, a collection, the routing table. */
  readonly trouble: string | undefined;
}

/** Every watch is told something once a minute. */
const STALE_MS = 150_000;

/** Why an operator is not ready, or undefined. One that stands by is ready to take over. */
export function notReady({ leads, synced, staleMs, trouble }: Standing): string | undefined {
  if (trouble !== undefined) return `not all can be read and written: ${trouble}`;
  if (!leads) return undefined;
  if (!synced) return 'not everything has been read yet';
  if (staleMs >= STALE_MS)
    return `the API server has said nothing for ${Math.round(staleMs / 1000)} s: see whether it can be reached`;
  return undefined;
}
