import { member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

/** `x-emporix-hmac`: Base64 HMAC-SHA256 over the body. Its senders speak CloudEvents in binary mode. */
export const emporix: Scheme = {
  proof: { recipes: () => [{ header: 'x-emporix-hmac', encoding: 'Base64' }] },
  payload: { type: member('type'), id: member('id') },
  providerId: true,
  binary: 'Accept',
  lenientEvents: true,
};
