import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { EndpointEntry, HmacRecipe } from '../routing/table.ts';
import { basic } from './basic.ts';
import { bearer } from './bearer.ts';
import { partsByKey } from './by-key.ts';
import { convoy } from './convoy.ts';
import { emporix } from './emporix.ts';
import { emporixCommerce } from './emporix-commerce.ts';
import { ofFamily } from './family.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { hmac } from './hmac.ts';
import { type JwksSource, NO_JWKS } from './jwks-source.ts';
import { jwt } from './jwt.ts';
import { ojs } from './ojs.ts';
import { compileRecipe, type RecipeVerifier } from './recipe.ts';
import type { Recipe } from './recipe-plan.ts';
import type { Proof, ProofByKey, RecipeProof, Scheme } from './scheme.ts';
import { shopify } from './shopify.ts';
import { signedHeaders } from './signed-headers.ts';
import { slack } from './slack.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import { stripe } from './stripe.ts';
import { twilio } from './twilio.ts';
import type { SignedRequest, Verdict, Verifier } from './verifier.ts';

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['Emporix', emporix],
  ['EmporixCommerce', emporixCommerce],
  ['GitHub', github],
  ['GitLab', gitlab],
  ['Stripe', stripe],
  ['Slack', slack],
  ['Shopify', shopify],
  ['StandardWebhooks', standardWebhooks],
  ['Twilio', twilio],
  ['OJS', ojs],
  ['Convoy', convoy],
  ['SignedHeaders', signedHeaders],
  ['Basic', basic],
  ['Bearer', bearer],
  ['JWT', jwt],
  ['HMAC', hmac],
]);

/** The names that `spec.scheme` can have. */
const SCHEME_NAMES: readonly string[] = [...SCHEMES.keys()];

/** Finds a scheme by its name, or says which there are. `path` is where the name stands (`spec.scheme`). */
export function findScheme(name: string, path: string): Compiled<Scheme> {
  const scheme = SCHEMES.get(name);
  if (scheme !== undefined) return compiled(scheme);
  return refused(path, `"${name}" is not supported; use one of ${SCHEME_NAMES.join(', ')}`);
}

/** The recipes of an endpoint. `path` is the spec that may bring one. */
export function recipesOf(
  proof: RecipeProof,
  entry: { readonly hmac?: HmacRecipe },
  path: string,
): Compiled<readonly [Recipe, ...Recipe[]]> {
  const [first, ...others] = proof.recipes(entry);
  if (first !== undefined) return compiled([first, ...others]);
  return refused(`${path}.hmac`, 'is missing; scheme HMAC needs the recipe of the signature');
}

/** A request holds where one of several recipes says so; the cause told is that of the recipe it comes closest to. */
function anyRecipe(verifiers: readonly RecipeVerifier[], recipes: readonly Recipe[]): RecipeVerifier {
  const headers = recipes.map((recipe) => recipe.header.toLowerCase());
  return {
    verify(request: SignedRequest, now: number): Verdict {
      let refusal: Verdict = { ok: false, cause: 'there is no key' };
      for (const [i, verifier] of verifiers.entries()) {
        const verdict = verifier.verify(request, now);
        if (verdict.ok) return ofFamily(verdict, recipes[i]?.family);
        const attempted = request.headers[headers[i] ?? ''] !== undefined;
        if (i === 0 || attempted) refusal = verdict;
      }
      return refusal;
    },
  };
}

function compileRecipes(proof: RecipeProof, entry: EndpointEntry, path: string): Compiled<Verifier> {
  const recipes = recipesOf(proof, entry, path);
  if (!recipes.ok) return recipes;
  const verifiers: RecipeVerifier[] = [];
  const findings: Finding[] = [];
  for (const recipe of recipes.value) {
    const verifier = compileRecipe(recipe, entry.keys, path, entry.publicUrl);
    if (verifier.ok) verifiers.push(verifier.value);
    // Alternatives share their keys, and so the findings.
    else if (findings.length === 0) findings.push(...verifier.findings);
  }
  if (findings.length > 0) return { ok: false, findings };
  const [only] = verifiers;
  if (only !== undefined && verifiers.length === 1) return compiled(only);
  return compiled(anyRecipe(verifiers, recipes.value));
}

/** Each key's own way to prove; the cause told is that of the last. */
function anyKey(verifiers: readonly Verifier[]): Verifier {
  return {
    async verify(request, now) {
      let refusal: Verdict = { ok: false, cause: 'there is no key' };
      for (const verifier of verifiers) {
        refusal = await verifier.verify(request, now);
        if (refusal.ok) return refusal;
      }
      return refusal;
    },
  };
}

function compileByKey(proof: ProofByKey, entry: EndpointEntry, path: string, jwks: JwksSource) {
  const verifiers: Verifier[] = [];
  const findings: Finding[] = [];
  for (const part of partsByKey(proof, entry.keys)) {
    const verifier = compileProof(part.proof, { ...entry, keys: part.keys }, path, jwks);
    if (verifier.ok) verifiers.push(verifier.value);
    else findings.push(...verifier.findings);
  }
  if (findings.length > 0) return { ok: false, findings } as const;
  const [only] = verifiers;
  return compiled(only !== undefined && verifiers.length === 1 ? only : anyKey(verifiers));
}

function compileProof(
  proof: Proof,
  entry: EndpointEntry,
  path: string,
  jwks: JwksSource,
): Compiled<Verifier> {
  if ('compile' in proof) return proof.compile(entry, path, jwks);
  return 'byKey' in proof ? compileByKey(proof, entry, path, jwks) : compileRecipes(proof, entry, path);
}

/**
 * Compiles what proves the senders of an endpoint, once. Findings are below `path`: `spec.scheme`, `spec.hmac…`,
 * `spec.secrets[i]`. An endpoint without keys compiles and refuses every request. `jwks` is where issuers' keys are
 * fetched; without it an entry is only checked.
 */
export function compileVerifier(
  entry: EndpointEntry,
  path = 'spec',
  jwks: JwksSource = NO_JWKS,
): Compiled<Verifier> {
  const scheme = findScheme(entry.scheme, `${path}.scheme`);
  return scheme.ok ? compileProof(scheme.value.proof, entry, path, jwks) : scheme;
}
