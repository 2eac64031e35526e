import type { DeliveryPolicy } from '../routing/table.ts';
import { jittered, retryAfter, retryDelay } from './backoff.ts';
import type { Answer, Failure } from './outbound.ts';
import type { Reading } from './targets/reading.ts';

/**
 * Without `retry`, a delivery is tried at least this often before its age ends it: one that was parked for days and
 * is released must not die of the first hiccup.
 */
const MIN_ATTEMPTS = 10;

/** Why a delivery is dead, of a fixed set (a metric label). */
export type DeathCause =
  | 'gave_up'
  | 'refused'
  | 'egress_refused'
  | 'unrenderable'
  | 'shape_unknown'
  | 'trigger_deleted'
  | 'unused';

/** What comes of an attempt that did not succeed. */
export type Verdict =
  | { readonly state: 'waiting'; readonly due: number; readonly error: string }
  | { readonly state: 'dead'; readonly cause: DeathCause; readonly reason: string; readonly error: string };

/** Where a delivery stands when one of its attempts has failed. */
export interface Standing {
  /** Attempts made, the failed one included. */
  readonly attempts: number;
  readonly receivedAt: number;
  readonly now: number;
  /** The answer's header, where there was an answer. */
  readonly retryAfter: string | readonly string[] | undefined;
}

/** What becomes of a delivery whose attempt was read as something else than done. Pure. */
export function verdict(
  reading: Exclude<Reading, { readonly outcome: 'done' }>,
  standing: Standing,
  policy: DeliveryPolicy,
  random: () => number,
): Verdict {
  const { error } = reading;
  if (reading.outcome === 'refused') return { state: 'dead', cause: 'refused', reason: error, error };
  if (isSpent(standing, policy)) {
    const tries = standing.attempts === 1 ? '1 attempt' : `${standing.attempts} attempts`;
    return { state: 'dead', cause: 'gave_up', reason: `gave up after ${tries}: ${error}`, error };
  }
  return { state: 'waiting', due: standing.now + wait(reading, standing, policy, random), error };
}

/** What becomes of a delivery whose attempt got no answer. Pure. */
export function verdictOnFailure(
  failure: Failure,
  standing: Standing,
  policy: DeliveryPolicy,
  random: () => number,
): Verdict {
  const error = failure.message;
  if (failure.code === 'EgressRefused')
    return { state: 'dead', cause: 'egress_refused', reason: error, error };
  return verdict({ outcome: 'retry', error }, standing, policy, random);
}

/** Whether an answer or a failure says that the target itself is down (what a circuit counts). */
export function isDown(answer: Answer | undefined, failure: Failure | undefined): boolean {
  if (answer !== undefined) return answer.status >= 500;
  return failure?.code === 'Timeout' || failure?.code === 'NoAnswer';
}

function isSpent({ attempts, receivedAt, now }: Standing, policy: DeliveryPolicy): boolean {
  if (policy.retry !== undefined) return attempts > policy.retry;
  return now - receivedAt >= policy.maxAgeMs && attempts >= MIN_ATTEMPTS;
}

function wait(
  reading: { readonly atCeiling?: boolean },
  standing: Standing,
  policy: DeliveryPolicy,
  random: () => number,
): number {
  const own =
    reading.atCeiling === true
      ? jittered(policy.ceilingMs, random)
      : retryDelay(policy, standing.attempts, random);
  const left = standing.receivedAt + policy.maxAgeMs - standing.now;
  // The last attempt comes when the time is up, not a whole delay later.
  const within = policy.retry === undefined && left > 0 ? Math.min(own, left) : own;
  const asked = retryAfter(standing.retryAfter, standing.now) ?? 0;
  return Math.max(within, Math.min(asked, policy.retryAfterMaxMs));
}
