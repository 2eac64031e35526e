import type { PlannedCondition } from './outcome.ts';

/** What one receiver tells of a bridge (`GET /api/bridges`). */
export interface BridgeReport {
  /** `namespace/name` */
  readonly bridge: string;
  /** `Standby`: another receiver reads. */
  readonly state: 'Connecting' | 'Reading' | 'Down' | 'Standby';
  /** How it reads, once it does. */
  readonly transport?: string;
  /** Why it does not read now. */
  readonly trouble?: string;
  readonly lossless?: {
    readonly status: 'True' | 'False';
    readonly reason: string;
    readonly message: string;
  };
}

/**
 * `Ready`, which a bridge is not while its backend does not answer. `before` is what its status says: while receivers tell
 * neither that they read nor that they cannot (this operator has just started, a receiver connects), a backend that did not
 * answer is not said to do so.
 */
export function readyByReports(
  ready: PlannedCondition,
  suspended: boolean,
  reports: readonly BridgeReport[],
  before: Pick<PlannedCondition, 'reason' | 'message'> | undefined,
): PlannedCondition {
  if (ready.status !== 'True') return ready;
  const unreachable = (message: string): PlannedCondition => ({
    type: 'Ready',
    status: 'False',
    reason: 'BackendUnreachable',
    message,
  });
  const reads = reports.some(({ state }) => state === 'Reading');
  const down = reads ? undefined : reports.find(({ state }) => state === 'Down');
  if (down !== undefined) return unreachable(`spec.source: ${down.trouble ?? 'the backend does not answer'}`);
  if (!reads && before?.reason === 'BackendUnreachable') return unreachable(before.message);
  if (suspended)
    return { ...ready, reason: 'Suspended', message: 'spec.suspend: events are held until it is false' };
  return ready;
}

/** The conditions beside Ready. */
export function bridgeConditions(reports: readonly BridgeReport[]): readonly PlannedCondition[] {
  const told = reports.find(({ lossless }) => lossless !== undefined)?.lossless;
  if (told === undefined) {
    const message = 'no receiver has told how it reads from the backend';
    return [{ type: 'Lossless', status: 'Unknown', reason: 'NotReading', message }];
  }
  return [{ type: 'Lossless', ...told }];
}
