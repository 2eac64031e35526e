import { ed25519Proof, isEd25519 } from './ed25519.ts';
import type { Family } from './family.ts';
import { firstOf, header, member, rfc3339 } from './payload-rules.ts';
import type { Recipe } from './recipe-plan.ts';
import type { RecipeProof, Scheme } from './scheme.ts';

/** `v1,<Base64>` over `id.timestamp.body`, several separated by spaces; the key is Base64 after `whsec_`. */
function recipe(family: Family): Recipe {
  return {
    family,
    header: `${family}-signature`,
    prefix: 'v1,',
    separator: ' ',
    timestamp: { header: `${family}-timestamp` },
    id: { header: `${family}-id` },
    encoding: 'Base64',
    keyEncoding: 'Base64',
    keyPrefix: 'whsec_',
    signedContent: '{id}.{timestamp}.{body}',
  };
}

/** HMAC under either family of header names. */
export const STANDARD_HMAC: RecipeProof = { recipes: () => [recipe('webhook'), recipe('svix')] };

/** The id of the family that verified: a request that is proved has no other's. */
export const standardId = firstOf(header('webhook-id'), header('svix-id'));

const asymmetric = { prefix: 'v1a,' };

/**
 * Standard Webhooks, also under the header names that Svix gives it. A key is symmetric (`whsec_`, or without a prefix)
 * or one of ed25519: `whpk_` verifies, `whsk_` signs too.
 */
export const standardWebhooks: Scheme = {
  proof: {
    byKey: [
      {
        takes: isEd25519,
        proof: ed25519Proof([
          { ...recipe('webhook'), ...asymmetric },
          { ...recipe('svix'), ...asymmetric },
        ]),
      },
      { takes: () => true, proof: STANDARD_HMAC },
    ],
  },
  payload: {
    type: member('type'),
    id: standardId,
    time: rfc3339(member('timestamp')),
  },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};
