import type { Refusal } from './refusal.ts';

/** A refusal as a test wants it. */
export function refusal(over: Partial<Refusal> = {}): Refusal {
  return {
    at: 1000,
    entrance: 'WebhookSecret/shop/hooks',
    status: 401,
    code: 'unauthorized',
    cause: 'the signature does not fit',
    bytes: 10,
    ...over,
  };
}
