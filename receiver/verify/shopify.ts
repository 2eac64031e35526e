import { header, member, prefixed, rfc3339 } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const topic = header('X-Shopify-Topic');

/** `X-Shopify-Hmac-Sha256`: Base64 over the body. The webhook id stays the same when Shopify delivers again. */
export const shopify: Scheme = {
  proof: { recipes: () => [{ header: 'X-Shopify-Hmac-Sha256', encoding: 'Base64' }] },
  payload: {
    type: prefixed('com.shopify.', (payload) => topic(payload)?.replaceAll('/', '.')),
    id: header('X-Shopify-Webhook-Id'),
    source: prefixed('https://', header('X-Shopify-Shop-Domain')),
    subject: member('id'),
    time: rfc3339(header('X-Shopify-Triggered-At')),
  },
  providerId: true,
  binary: 'Ignore',
  lenientEvents: false,
};
