import { member } from './payload-rules.ts';
import type { Recipe } from './recipe-plan.ts';
import type { Scheme } from './scheme.ts';

const header = 'X-Convoy-Signature';
/** A comma, and not a dot as nearly everywhere else. */
const advanced = {
  header,
  fields: { timestamp: 't', signature: 'v1' },
  signedContent: '{timestamp},{body}',
} as const satisfies Recipe;

/** Convoy: `t=…,v1=…` (its advanced signatures, which ours are) or the digest alone; in hex or Base64, as it is set up. */
export const convoy: Scheme = {
  proof: {
    recipes: () => [
      advanced,
      { ...advanced, encoding: 'Base64' },
      { header },
      { header, encoding: 'Base64' },
    ],
  },
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};
