import { createHash } from 'node:crypto';
import type { EndpointEntry } from '../routing/table.ts';
import { readClaim } from './claim.ts';
import { planRecipe, type Recipe, type RecipePlan } from './recipe-plan.ts';
import type { Proof, Scheme } from './scheme.ts';
import type { SignedRequest } from './verifier.ts';

/** Hashes what a verified request's signature is made over. */
export interface ContentHash {
  /** The signed content holds a timestamp or an id: two requests with equal hashes are one request sent again. */
  readonly distinct: boolean;
  /** Hex SHA-256 of the signed content; of the body where the scheme signs none. */
  hash(request: SignedRequest): string;
}

/** The texts before and after the body; empty ones where no recipe fits. */
function parts(plans: readonly RecipePlan[], request: SignedRequest): readonly [string, string] {
  for (const plan of plans) {
    const claim = readClaim(plan, request);
    if (typeof claim !== 'string') return [plan.content.head(claim.values), plan.content.tail(claim.values)];
  }
  return ['', ''];
}

function recipesIn(proof: Proof, entry: Pick<EndpointEntry, 'hmac'>): readonly Recipe[] {
  if ('recipes' in proof) return proof.recipes(entry);
  return 'byKey' in proof ? proof.byKey.flatMap((part) => recipesIn(part.proof, entry)) : [];
}

/** Makes the content hash of an endpoint whose verifier compiles. */
export function createContentHash(
  scheme: Scheme,
  entry: Pick<EndpointEntry, 'hmac' | 'publicUrl'>,
): ContentHash {
  const plans: RecipePlan[] = [];
  for (const recipe of recipesIn(scheme.proof, entry)) {
    const plan = planRecipe(recipe, 'spec.hmac', entry.publicUrl ?? '');
    if (plan.ok) plans.push(plan.value);
  }
  return {
    distinct: plans.length > 0 && plans.every((plan) => plan.content.usesTimestamp || plan.content.usesId),
    hash(request) {
      const [head, tail] = parts(plans, request);
      return createHash('sha256')
        .update(head, 'latin1')
        .update(request.body)
        .update(tail, 'latin1')
        .digest('hex');
    },
  };
}
