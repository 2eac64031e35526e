/** A coordination.k8s.io/v1 Lease, as far as it is read and written here. */
export interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** What the Lease says, and since when it says so here: clocks of different machines are never compared. */
export interface Observed {
  readonly spec: LeaseSpec | undefined;
  /** Milliseconds of this process's own clock, which nobody sets. */
  readonly since: number;
}

/** How long a leader that says nothing stays one. */
export const LEASE_SECONDS = 10;

/** Whether the Lease may be written by `me` now, by the same clock: it is free, has run out, or is one's own. */
export function mayHold({ spec, since }: Observed, me: string, now: number): boolean {
  const holder = spec?.holderIdentity ?? '';
  if (holder === '' || holder === me) return true;
  return now - since >= (spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
}

/** The Lease as its holder writes it. */
export function heldBy(me: string, before: LeaseSpec | undefined, now: number): LeaseSpec {
  const time = microTime(now);
  const stays = before?.holderIdentity === me;
  return {
    holderIdentity: me,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: time,
    acquireTime: stays ? (before.acquireTime ?? time) : time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (stays ? 0 : 1),
  };
}

/** The Lease as its holder leaves it: the next one need not wait. */
export function released(spec: LeaseSpec, now: number): LeaseSpec {
  return { ...spec, holderIdentity: '', renewTime: microTime(now), leaseDurationSeconds: 1 };
}

/** A MicroTime: the API server refuses other than six fractional digits. */
export function microTime(now: number): string {
  return new Date(now).toISOString().replace(/Z$/, '000Z');
}
