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

/** `Ready`, which a bridge is only while some receiver reads from its backend. */
export function readyByReports(
  ready: PlannedCondition,
  suspended: boolean,
  reports: readonly BridgeReport[],
): PlannedCondition {
  if (ready.status !== 'True') return ready;
  const reads = reports.some(({ state }) => state === 'Reading');
  const down = reads ? undefined : reports.find(({ state }) => state === 'Down');
  if (down !== undefined) {
    const message = `spec.source: ${down.trouble ?? 'the backend does not answer'}`;
    return { type: 'Ready', status: 'False', reason: 'BackendUnreachable', message };
  }
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
