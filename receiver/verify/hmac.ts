import { member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

/** Any HMAC: the endpoint brings the recipe itself (`spec.hmac`). */
export const hmac: Scheme = {
  proof: { recipes: (entry) => (entry.hmac === undefined ? [] : [entry.hmac]) },
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};
