import type { DeliveryPolicy } from '../routing/table.ts';

/** Deliveries of one lane under way at once, batches taken together: about half of what all lanes may have. */
const WIDEST = 500;

/**
 * The policy as the scheduler has it: with batches, `concurrency` counts deliveries and no longer requests. One full
 * batch always has room.
 */
export function laneOf(policy: DeliveryPolicy): DeliveryPolicy {
  const { batch, concurrency } = policy;
  if (batch === undefined) return policy;
  const wanted = Math.max(batch.events, Math.min(concurrency * batch.events, WIDEST));
  return { ...policy, concurrency: wanted, batch: { ...batch, requests: batch.requests ?? concurrency } };
}
