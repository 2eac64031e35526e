import type { PlannedCondition } from './outcome.ts';
import type { WebhookSecretSpec } from './resources.ts';

/** Whether what the sender sends again is known as a duplicate: the condition `Deduplicated` of a WebhookSecret. */
export function deduplicated(spec: WebhookSecretSpec): PlannedCondition {
  const type = 'Deduplicated';
  if (spec.dedup?.enabled === false) {
    const message = 'spec.dedup.enabled is false: what is sent again runs again';
    return { type, status: 'False', reason: 'DedupOff', message };
  }
  if (bringsId(spec)) return { type, status: 'True', reason: 'EventIdKnown', message: '' };
  const message = 'payloads bring no id, so each request is a new event: set spec.event.id';
  return { type, status: 'False', reason: 'NoEventId', message };
}

/** The hash of the signed content serves as the id only where a time or an id is signed: else equal bytes are equal. */
function bringsId(spec: WebhookSecretSpec): boolean {
  const id = spec.event?.id;
  if (id !== undefined) return id.unique !== true;
  const { hmac } = spec;
  if (hmac === undefined) return true;
  if (hmac.signedContent === undefined)
    return hmac.timestamp !== undefined || hmac.fields?.timestamp !== undefined;
  return hmac.signedContent.includes('{timestamp}') || hmac.signedContent.includes('{id}');
}
