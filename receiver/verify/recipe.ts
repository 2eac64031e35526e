import { timingSafeEqual } from 'node:crypto';
import { type Compiled, compiled } from '../errors.ts';
import type { KeyMaterial } from '../routing/table.ts';
import { readClaim } from './claim.ts';
import { decodeKeys, type Key, noMatch } from './key.ts';
import { createMac, type Digest, type PaddedKey } from './mac.ts';
import { planRecipe, type Recipe, type RecipePlan } from './recipe-plan.ts';
import { readTimestamp } from './timestamp.ts';
import type { SignedRequest, Verdict } from './verifier.ts';

/** A verifier that needs nothing but the request: it answers at once. */
export interface RecipeVerifier {
  verify(request: SignedRequest, now: number): Verdict;
}

/** A checked recipe with its keys decoded. */
export interface KeyedPlan {
  readonly plan: RecipePlan;
  readonly keys: readonly Key[];
}

/** Checks a recipe and its keys together, so that all findings are told at once. */
export function planWithKeys(
  recipe: Recipe,
  keys: readonly KeyMaterial[],
  path: string,
  publicUrl?: string,
): Compiled<KeyedPlan> {
  const plan = planRecipe(recipe, `${path}.hmac`, publicUrl);
  const decoded = decodeKeys(
    keys,
    { encoding: recipe.keyEncoding ?? 'UTF8', prefix: recipe.keyPrefix ?? '' },
    path,
  );
  if (plan.ok && decoded.ok) return compiled({ plan: plan.value, keys: decoded.value });
  return {
    ok: false,
    findings: [...(plan.ok ? [] : plan.findings), ...(decoded.ok ? [] : decoded.findings)],
  };
}

const UNITS = {
  Seconds: 'Unix time in seconds',
  Milliseconds: 'Unix time in milliseconds',
  RFC3339: 'RFC 3339 time',
} as const;

function no(cause: string): Verdict {
  return { ok: false, cause };
}

/** Why a timestamp is refused, or `undefined`. Both directions count: a clock may be ahead. */
export function timeFault(plan: RecipePlan, text: string, now: number): string | undefined {
  if (plan.timestamp === undefined) return undefined;
  const at = readTimestamp(text, plan.unit);
  if (at === undefined) return `timestamp is no ${UNITS[plan.unit]}`;
  const age = now - at;
  if (Math.abs(age) <= plan.toleranceMs) return undefined;
  const seconds = Math.round(Math.abs(age) / 1000);
  return `timestamp is ${seconds} s ${age > 0 ? 'old' : 'in the future'}, tolerance ${plan.toleranceMs / 1000} s`;
}

/** The signatures of the right length, in the form that digests are compared in. */
function candidates(plan: RecipePlan, signatures: readonly string[], length: number): Buffer[] {
  const found: Buffer[] = [];
  for (const signature of signatures) {
    const bytes = Buffer.from(plan.encoding.canonical(signature), 'utf8');
    if (bytes.length === length) found.push(bytes);
  }
  return found;
}

interface ReadyKey {
  readonly name: string;
  readonly notAfter: number;
  readonly padded: PaddedKey;
}

/** The comparing end: every key that is in force against every signature, always all of them. */
function createComparer(plan: RecipePlan, keys: readonly ReadyKey[], digestLength: number) {
  const { encoding } = plan;
  const expected = Buffer.alloc(encoding.canonicalLength(digestLength));

  function fits(key: ReadyKey, digest: Digest, claimed: readonly Buffer[]): boolean {
    expected.write(encoding.canonical(digest(key.padded, encoding.node)), 'latin1');
    let fitting = false;
    for (const claim of claimed) if (timingSafeEqual(expected, claim)) fitting = true;
    return fitting;
  }

  return (digest: Digest, signatures: readonly string[], now: number): Verdict => {
    const claimed = candidates(plan, signatures, expected.length);
    let matched: string | undefined;
    for (const key of keys) if (now < key.notAfter && fits(key, digest, claimed)) matched ??= key.name;
    if (matched !== undefined) return { ok: true, key: matched };
    if (keys.length === 0) return no('there is no key');
    let ended: string | undefined;
    for (const key of keys) if (now >= key.notAfter && fits(key, digest, claimed)) ended ??= key.name;
    return no(noMatch(ended));
  };
}

function createVerifier({ plan, keys }: KeyedPlan): RecipeVerifier {
  const mac = createMac(plan.algorithm);
  const ready = keys.map(({ name, notAfter, bytes }) => ({ name, notAfter, padded: mac.prepare(bytes) }));
  const compare = createComparer(plan, ready, mac.digestLength);
  return {
    verify(request, now) {
      const claim = readClaim(plan, request);
      if (typeof claim === 'string') return no(claim);
      const fault = timeFault(plan, claim.values.timestamp, now);
      if (fault !== undefined) return no(fault);
      const digest = mac.over(plan.content.head(claim.values), claim.body, plan.content.tail(claim.values));
      return compare(digest, claim.signatures, now);
    },
  };
}

/**
 * Compiles a recipe (`spec.hmac`) and its keys (`spec.secrets`) once. `path` is the spec that holds both;
 * `publicUrl` is needed where `{url}` is signed. Timestamps count in both directions; `notAfter` when a request comes.
 */
export function compileRecipe(
  recipe: Recipe,
  keys: readonly KeyMaterial[],
  path: string,
  publicUrl?: string,
): Compiled<RecipeVerifier> {
  const keyed = planWithKeys(recipe, keys, path, publicUrl);
  return keyed.ok ? compiled(createVerifier(keyed.value)) : keyed;
}
