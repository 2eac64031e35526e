import { BODY_ALONE, type SignedContent } from './content.ts';
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

/**
 * The body alone, but none that begins as what an advanced signature is made over: such a signature would hold here too,
 * without its time limit. No JSON text begins so.
 */
const plain: SignedContent = {
  ...BODY_ALONE,
  body: (body) =>
    /^\d+,/.test(body.toString('latin1', 0, 32))
      ? 'the body begins with a timestamp and a comma, as what an advanced signature is made over'
      : body,
};

/** Convoy: `t=…,v1=…` (its advanced signatures, which ours are) or the digest alone; in hex or Base64, as it is set up. */
export const convoy: Scheme = {
  proof: {
    recipes: () => [
      advanced,
      { ...advanced, encoding: 'Base64' },
      { header, content: plain },
      { header, content: plain, encoding: 'Base64' },
    ],
  },
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};
