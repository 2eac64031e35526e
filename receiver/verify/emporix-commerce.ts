import { canonicalJson } from './canonical-json.ts';
import { BODY_ALONE, type SignedContent } from './content.ts';
import { member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const content: SignedContent = {
  ...BODY_ALONE,
  body: (body) => canonicalJson(body) ?? 'the body does not have the form that this scheme signs',
};

/** `emporix-event-signature`: Base64 HMAC-SHA256 over the payload's JSON with all its members sorted. */
export const emporixCommerce: Scheme = {
  proof: { recipes: () => [{ header: 'emporix-event-signature', encoding: 'Base64', content }] },
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Ignore',
  lenientEvents: false,
};
