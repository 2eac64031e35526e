import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { KeyMaterial } from '../routing/table.ts';
import { readClaim } from './claim.ts';
import { decodeBase64 } from './encoding.ts';
import { type Family, ofFamily } from './family.ts';
import { noMatch } from './key.ts';
import { timeFault } from './recipe.ts';
import { planRecipe, type Recipe, type RecipePlan } from './recipe-plan.ts';
import { companions, contentOf } from './recipe-signer.ts';
import type { CodeProof } from './scheme.ts';
import type { SignedRequest, Verdict } from './verifier.ts';

const PUBLIC = 'whpk_';
const PRIVATE = 'whsk_';
/** What stands before the 32 bytes of a key in SPKI and in PKCS #8 (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

interface Pair {
  readonly name: string;
  readonly publicKey: KeyObject;
  /** Only of a `whsk_` key. */
  readonly privateKey: KeyObject | undefined;
  readonly notAfter: number;
}

/** Whether a key is one of ed25519, by the prefixes of Standard Webhooks. */
export function isEd25519(key: string): boolean {
  return key.startsWith(PUBLIC) || key.startsWith(PRIVATE);
}

function readPair(key: KeyMaterial): Pair | undefined {
  const text = Buffer.from(key.secret, 'base64').toString('latin1').trim();
  const bytes = decodeBase64(text.slice(PUBLIC.length));
  const notAfter = key.notAfter ?? Infinity;
  if (text.startsWith(PUBLIC)) {
    if (bytes?.length !== KEY_BYTES) return undefined;
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' });
    return { name: key.name, publicKey, privateKey: undefined, notAfter };
  }
  // Some libraries write the public key behind the private one.
  if (bytes?.length !== KEY_BYTES && bytes?.length !== 2 * KEY_BYTES) return undefined;
  const seed = Buffer.concat([PKCS8, bytes.subarray(0, KEY_BYTES)]);
  const privateKey = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
  return { name: key.name, publicKey: createPublicKey(privateKey), privateKey, notAfter };
}

function readPairs(keys: readonly KeyMaterial[], path: string): Compiled<readonly Pair[]> {
  const findings: Finding[] = [];
  const pairs: Pair[] = [];
  for (const [i, key] of keys.entries()) {
    const pair = readPair(key);
    if (pair !== undefined) {
      pairs.push(pair);
      continue;
    }
    const message = `the value of key "${key.name}" is no ed25519 key; write ${PUBLIC} or ${PRIVATE} and its Base64`;
    findings.push({ field: `${path}.secrets[${i}]`, message });
  }
  return findings.length > 0 ? { ok: false, findings } : compiled(pairs);
}

/** The signed bytes of a text, a body, a text. */
function bytesOf(head: string, body: Buffer, tail: string): Buffer {
  return Buffer.concat([Buffer.from(head, 'latin1'), body, Buffer.from(tail, 'latin1')]);
}

function verifyPlan(plan: RecipePlan, pairs: readonly Pair[], request: SignedRequest, now: number): Verdict {
  const claim = readClaim(plan, request);
  if (typeof claim === 'string') return { ok: false, cause: claim };
  const fault = timeFault(plan, claim.values.timestamp, now);
  if (fault !== undefined) return { ok: false, cause: fault };
  const content = bytesOf(plan.content.head(claim.values), claim.body, plan.content.tail(claim.values));
  const fitting = (counts: (pair: Pair) => boolean): string | undefined => {
    for (const text of claim.signatures) {
      const signature = decodeBase64(text);
      if (signature?.length !== SIGNATURE_BYTES) continue;
      for (const pair of pairs)
        if (counts(pair) && verifyBytes(null, content, pair.publicKey, signature)) return pair.name;
    }
    return undefined;
  };
  const key = fitting(({ notAfter }) => now < notAfter);
  if (key !== undefined) return { ok: true, key };
  return { ok: false, cause: noMatch(fitting(({ notAfter }) => now >= notAfter)) };
}

/** The content, headers and times of `recipes`, signed with ed25519 instead of a MAC (Standard Webhooks `v1a`). */
export function ed25519Proof(recipes: readonly [Recipe, ...Recipe[]]): CodeProof {
  return {
    compile(entry, path) {
      const pairs = readPairs(entry.keys, path);
      if (!pairs.ok) return pairs;
      const plans: { readonly plan: RecipePlan; readonly family: Family | undefined }[] = [];
      for (const recipe of recipes) {
        const plan = planRecipe(recipe, `${path}.hmac`);
        if (!plan.ok) return plan;
        plans.push({ plan: plan.value, family: recipe.family });
      }
      return compiled({
        verify(request, now) {
          let refusal: Verdict = { ok: false, cause: 'no key matched' };
          for (const { plan, family } of plans) {
            if (request.headers[plan.header.lower] === undefined) continue;
            refusal = verifyPlan(plan, pairs.value, request, now);
            if (refusal.ok) return ofFamily(refusal, family);
          }
          return refusal;
        },
      });
    },
    compileSigner(keys, path) {
      const pairs = readPairs(keys, path);
      if (!pairs.ok) return pairs;
      const mute = pairs.value.findIndex(({ privateKey }) => privateKey === undefined);
      if (mute >= 0) {
        const message = `the value of key "${pairs.value[mute]?.name}" is a public key; sign with the ${PRIVATE} key`;
        return refused(`${path}.secrets[${mute}]`, message);
      }
      const plan = planRecipe(recipes[0], `${path}.hmac`);
      if (!plan.ok) return plan;
      const { shape, header } = plan.value;
      return compiled({
        sign(message) {
          const content = contentOf(plan.value, message);
          const bytes = bytesOf(content.head, content.body, content.tail);
          const signatures = pairs.value.flatMap(({ privateKey, notAfter }) =>
            privateKey === undefined || message.timestamp >= notAfter
              ? []
              : [`${shape.prefix}${signBytes(null, bytes, privateKey).toString('base64')}`],
          );
          if (signatures.length === 0) return undefined;
          return { ...companions(plan.value, content), [header.shown]: signatures.join(shape.separator) };
        },
      });
    },
  };
}
