import type { Condition } from '../crds/conditions.ts';
import type { Confirmation } from './confirm/confirmer.ts';
import type { Outcome, PlannedCondition, PlannedStatus } from './plan/outcome.ts';

/** The part of a resource's status that the operator writes. */
export interface OwnStatus extends PlannedStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

/** A Kubernetes Event that tells of a change. */
export interface StatusEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface StatusChange {
  readonly status: OwnStatus;
  /** Undefined where only details changed. */
  readonly event: StatusEvent | undefined;
}

/** What is known of a resource once its entry is published and the receivers were asked. */
export interface Findings {
  readonly outcome: Outcome;
  readonly confirmation: Confirmation;
  /** Set where the entry did not fit into the table: the generation that is there instead, if any. */
  readonly full?: { readonly servingGeneration: number | undefined };
}

const NO_RECEIVER = 'no receiver is ready: see whether the receiver runs';

/** `Ready` as it is told: what planning says, and where that is True what the receivers say. */
export function readyCondition({ outcome, confirmation, full }: Findings): PlannedCondition {
  const { ready } = outcome;
  if (full !== undefined) {
    const kept =
      full.servingGeneration === undefined ? '' : `; generation ${full.servingGeneration} still serves`;
    const message = `spec does not fit into the routing table: make it smaller, or delete others${kept}`;
    return { type: 'Ready', status: 'False', reason: 'TableFull', message };
  }
  if (ready.status !== 'True' || confirmation.state === 'Live') return ready;
  const message = confirmation.state === 'NoReceiver' ? NO_RECEIVER : confirmation.message;
  return { type: 'Ready', status: 'Unknown', reason: confirmation.state, message };
}

/**
 * The status to write, or undefined where it is as it should be. A condition's `lastTransitionTime` moves only when its
 * `status` does.
 */
export function statusChange(
  current: Partial<OwnStatus> | undefined,
  findings: Findings,
  generation: number,
  now: number,
): StatusChange | undefined {
  const before = new Map((current?.conditions ?? []).map((condition) => [condition.type, condition]));
  const ready = readyCondition(findings);
  const time = new Date(Math.floor(now / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  const conditions = [ready, ...findings.outcome.conditions].map((condition): Condition => {
    const old = before.get(condition.type);
    const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : time;
    return { ...condition, observedGeneration: generation, lastTransitionTime };
  });
  const status: OwnStatus = { observedGeneration: generation, ...fieldsOf(findings), conditions };
  if (current !== undefined && canonical(project(current)) === canonical(project(status))) return undefined;
  return { status, event: eventOf(before.get('Ready'), ready) };
}

function fieldsOf({ outcome, full }: Findings): PlannedStatus {
  if (full === undefined) return outcome.status;
  return full.servingGeneration === undefined ? {} : { servingGeneration: full.servingGeneration };
}

function eventOf(before: Condition | undefined, ready: PlannedCondition): StatusEvent | undefined {
  if (before?.status === ready.status && before.reason === ready.reason && before.message === ready.message) {
    return undefined;
  }
  // Being on the way is no news.
  if (ready.status === 'Unknown' && ready.reason === 'Publishing') return undefined;
  const type = ready.status === 'True' ? 'Normal' : 'Warning';
  return {
    type,
    reason: ready.reason,
    message: ready.message === '' ? 'every ready receiver runs it' : ready.message,
  };
}

/** Only what the operator owns: others add `traffic`. */
function project(status: Partial<OwnStatus>): unknown[] {
  return [
    status.observedGeneration,
    status.servingGeneration,
    status.source,
    status.url,
    status.address?.url,
    status.address?.audience,
    status.targetUri,
    status.deadLetterSinkUri,
    status.transport,
    status.sourceUri,
    status.sinkUri,
    (status.keys ?? []).map(({ name, lastUsed }) => [name, lastUsed]),
    (status.conditions ?? []).map((one) => [
      one.type,
      one.status,
      one.reason,
      one.message,
      one.observedGeneration,
      one.lastTransitionTime,
    ]),
  ];
}

function canonical(parts: unknown[]): string {
  return JSON.stringify(parts.map((part) => part ?? null));
}
