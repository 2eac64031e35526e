import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { EndpointEntry, HmacRecipe } from '../routing/table.ts';
import { emporix } from './emporix.ts';
import { github } from './github.ts';
import { hmac } from './hmac.ts';
import { compileRecipe, type RecipeVerifier } from './recipe.ts';
import type { Scheme } from './scheme.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import { stripe } from './stripe.ts';
import type { SignedRequest, Verdict, Verifier } from './verifier.ts';

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['Emporix', emporix],
  ['GitHub', github],
  ['Stripe', stripe],
  ['StandardWebhooks', standardWebhooks],
  ['HMAC', hmac],
]);

/** The names that `spec.scheme` can have. */
export const SCHEME_NAMES: readonly string[] = [...SCHEMES.keys()];

/** Finds a scheme by its name, or says which there are. `path` is where the name stands (`spec.scheme`). */
export function findScheme(name: string, path: string): Compiled<Scheme> {
  const scheme = SCHEMES.get(name);
  if (scheme !== undefined) return compiled(scheme);
  return refused(path, `"${name}" is not supported; use one of ${SCHEME_NAMES.join(', ')}`);
}

/** The recipes of an endpoint. `path` is the spec that may bring one. */
export function recipesOf(
  proof: { recipes(entry: { readonly hmac?: HmacRecipe }): readonly HmacRecipe[] },
  entry: { readonly hmac?: HmacRecipe },
  path: string,
): Compiled<readonly [HmacRecipe, ...HmacRecipe[]]> {
  const [first, ...others] = proof.recipes(entry);
  if (first !== undefined) return compiled([first, ...others]);
  return refused(`${path}.hmac`, 'is missing; scheme HMAC needs the recipe of the signature');
}

/** A request holds where one of several recipes says so; the cause told is that of the recipe it comes closest to. */
function anyOf(verifiers: readonly RecipeVerifier[], headers: readonly string[]): RecipeVerifier {
  return {
    verify(request: SignedRequest, now: number): Verdict {
      let refusal: Verdict = { ok: false, cause: 'there is no key' };
      for (const [i, verifier] of verifiers.entries()) {
        const verdict = verifier.verify(request, now);
        if (verdict.ok) return verdict;
        const attempted = request.headers[headers[i] ?? ''] !== undefined;
        if (i === 0 || attempted) refusal = verdict;
      }
      return refusal;
    },
  };
}

/**
 * Compiles what proves the senders of an endpoint, once. Findings are below `path`: `spec.scheme`, `spec.hmac…`,
 * `spec.secrets[i]`. An endpoint without keys compiles and refuses every request.
 */
export function compileVerifier(entry: EndpointEntry, path = 'spec'): Compiled<Verifier> {
  const scheme = findScheme(entry.scheme, `${path}.scheme`);
  if (!scheme.ok) return scheme;
  const { proof } = scheme.value;
  if ('compile' in proof) return proof.compile(entry, path);
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
  return compiled(
    anyOf(
      verifiers,
      recipes.value.map((recipe) => recipe.header.toLowerCase()),
    ),
  );
}
