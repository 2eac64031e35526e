import type { Tally } from './tally.ts';

/** What becomes of what a backend tells while nobody listens: the condition `Lossless`. */
export interface Lossless {
  readonly status: 'True' | 'False';
  /** One of crds/conditions.ts. */
  readonly reason: 'CursorKept' | 'BackendRetries' | 'Reconciled' | 'NoReplay' | 'ReconcileFailed';
  /** One sentence. */
  readonly message: string;
}

/** How a bridge is, as `GET /api/bridges` tells it. */
export interface BridgeStatus {
  /** `namespace/name` */
  readonly bridge: string;
  /** `Standby`: another receiver reads. */
  readonly state: 'Connecting' | 'Reading' | 'Down' | 'Standby';
  readonly transport?: string;
  /** Why it does not read now. */
  readonly trouble?: string;
  readonly lossless?: Lossless;
  /** Milliseconds since the epoch. */
  readonly lastEvent?: number;
  /** What could not be read last, and why. */
  readonly lastBroken?: string;
  readonly counts?: Readonly<Tally>;
}
