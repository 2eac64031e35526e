import { constant, member, type PayloadRule, prefixed, valueAt } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

/** `created` is Unix time in seconds. */
const created: PayloadRule = ({ data }) => {
  const seconds = valueAt(data, ['created']);
  const plausible = typeof seconds === 'number' && seconds >= 0 && seconds < 253_402_300_800;
  return plausible ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : undefined;
};

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
    time: created,
  },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};
