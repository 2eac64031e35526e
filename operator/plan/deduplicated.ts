import { deduplicates } from '../../receiver/event/payload.ts';
import type { PlannedCondition } from './outcome.ts';
import { createReader } from './reading.ts';
import { readRecipe } from './recipe.ts';
import type { WebhookSecretSpec } from './resources.ts';

/** Whether what the sender sends again is known as a duplicate: the condition `Deduplicated` of a WebhookSecret. */
export function deduplicated(spec: WebhookSecretSpec): PlannedCondition {
  const type = 'Deduplicated';
  const hmac = spec.hmac && readRecipe(spec.hmac, 'spec.hmac', createReader());
  const endpoint = { scheme: spec.scheme, ...(hmac && { hmac }), ...(spec.event && { event: spec.event }) };
  if (spec.dedup?.enabled === false) {
    const message = 'spec.dedup.enabled is false: what is sent again runs again';
    return { type, status: 'False', reason: 'DedupOff', message };
  }
  if (deduplicates(endpoint)) return { type, status: 'True', reason: 'EventIdKnown', message: '' };
  const message = 'payloads bring no id, so each request is a new event: set spec.event.id';
  return { type, status: 'False', reason: 'NoEventId', message };
}
