import { type Compiled, compiled } from '../errors.ts';
import type { HmacRecipe, KeyMaterial } from '../routing/table.ts';
import { byteText } from './content.ts';
import { createMac } from './mac.ts';
import { planWithKeys } from './recipe.ts';
import type { RecipePlan } from './recipe-plan.ts';
import type { OutgoingMessage, Signer } from './scheme.ts';
import { findScheme, recipesOf } from './schemes.ts';
import { MAX_SIGNATURES, writeSignatures } from './signature-header.ts';
import { writeTimestamp } from './timestamp.ts';

/** What to sign with: a scheme's name, its recipe where it is `HMAC`, and the keys, the preferred one first. */
export interface Signing {
  readonly scheme: string;
  readonly hmac?: HmacRecipe;
  readonly keys: readonly KeyMaterial[];
}

/** Header names of a message in lower case, values as bytes. */
function signedHeaders(plan: RecipePlan, message: OutgoingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of plan.content.headers) {
    const value = message.headers?.[name.lower];
    if (value === undefined)
      throw new Error(`header ${name.shown} is signed by this scheme; add it to the message`);
    headers[name.lower] = byteText(value);
  }
  return headers;
}

/** The headers beside the signature: those that carry what is signed with it. */
function companions(plan: RecipePlan, timestamp: string, id: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (plan.id?.header !== undefined) headers[plan.id.header.shown] = id;
  if (plan.timestamp?.header !== undefined) headers[plan.timestamp.header.shown] = timestamp;
  return headers;
}

/**
 * The recipe engine outward: what it signs, `compileRecipe` takes. Where the header can carry several signatures,
 * there is one per key in force; else the first key in force signs.
 */
function compileRecipeSigner(
  recipe: HmacRecipe,
  keys: readonly KeyMaterial[],
  path: string,
): Compiled<Signer> {
  // The message brings its whole address, so nothing is put before it.
  const keyed = planWithKeys(recipe, keys, path, '');
  if (!keyed.ok) return keyed;
  const { plan } = keyed.value;
  const mac = createMac(plan.algorithm);
  const ready = keyed.value.keys.map((key) => ({ notAfter: key.notAfter, padded: mac.prepare(key.bytes) }));
  const most = plan.shape.separator === '' ? 1 : MAX_SIGNATURES;
  return compiled({
    sign(message) {
      const timestamp = writeTimestamp(message.timestamp, plan.unit);
      const id = byteText(message.id);
      const values = { timestamp, id, url: byteText(message.url), headers: signedHeaders(plan, message) };
      const digest = mac.over(plan.content.head(values), message.body, plan.content.tail(values));
      const inForce = ready.filter((key) => message.timestamp < key.notAfter).slice(0, most);
      if (inForce.length === 0)
        throw new Error('no key is in force to sign with; add one to the list of secrets');
      const signatures = inForce.map((key) =>
        plan.encoding.written(plan.encoding.canonical(digest(key.padded, plan.encoding.node))),
      );
      const header = writeSignatures(plan.shape, { signatures, timestamp, id });
      return { ...companions(plan, timestamp, id), [plan.header.shown]: header };
    },
  });
}

/**
 * Compiles what proves us to a receiver, by the data that verifies the same scheme on the way in.
 * Findings are below `path`. A scheme with alternatives signs by its first.
 */
export function compileSigner(signing: Signing, path = 'spec'): Compiled<Signer> {
  const scheme = findScheme(signing.scheme, `${path}.scheme`);
  if (!scheme.ok) return scheme;
  const { proof } = scheme.value;
  if ('compile' in proof) return proof.compileSigner(signing.keys, path);
  const recipes = recipesOf(proof, signing, path);
  if (!recipes.ok) return recipes;
  return compileRecipeSigner(recipes.value[0], signing.keys, path);
}
