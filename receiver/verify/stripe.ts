import { constant, member, prefixed, unixSeconds } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

/** `Stripe-Signature: t=…,v1=…`. The key is the whole `whsec_…` text; `v0` never counts. */
export const stripe: Scheme = {
  proof: {
    recipes: () => [
      {
        header: 'Stripe-Signature',
        fields: { timestamp: 't', signature: 'v1' },
        signedContent: '{timestamp}.{body}',
      },
    ],
  },
  payload: {
    type: prefixed('com.stripe.', member('type')),
    id: member('id'),
    source: constant('https://api.stripe.com'),
    subject: member('data', 'object', 'id'),
    time: unixSeconds('created'),
  },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};
