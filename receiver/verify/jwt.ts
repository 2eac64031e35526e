import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Compiled, compiled, refused } from '../errors.ts';
import type { JwtRecipe } from '../routing/table.ts';
import { bearerHeader } from './bearer.ts';
import { type JwksSource, JwksUnavailable, type KeySet, parseJwks } from './jwks-source.ts';
import { member } from './payload-rules.ts';
import type { CodeProof, Scheme } from './scheme.ts';
import type { Verdict, Verifier } from './verifier.ts';

/** How far the issuer's clock may be off: a token is often shown within the second that it is made in. */
const CLOCK_SECONDS = 5;

/** The keys of the issuer, wherever they are. */
interface Keys {
  current(now: number): Promise<KeySet>;
  newer(now: number): Promise<KeySet | undefined>;
}

function keysOf(recipe: JwtRecipe, jwks: JwksSource, path: string): Compiled<Keys> {
  const { jwksUri: uri, jwks: text } = recipe;
  if (uri !== undefined)
    return compiled({ current: (now) => jwks.keys(uri, now), newer: (now) => jwks.newer(uri, now) });
  try {
    const set = parseJwks(text ?? '');
    return compiled({ current: () => Promise.resolve(set), newer: () => Promise.resolve(undefined) });
  } catch {
    const message = 'its Secret holds no JWKS document; put one there: {"keys":[…]}';
    return refused(`${path}.jwt.jwks.secretKeyRef`, message);
  }
}

/** What is wrong with a token that no key could make right; asked first, so that no fetch is made for it. */
function hopeless(token: string, recipe: JwtRecipe): string | undefined {
  const { alg } = decodeProtectedHeader(token);
  if (alg === undefined || !recipe.algorithms.includes(alg))
    return 'the token is signed by another algorithm';
  return decodeJwt(token).iss === recipe.issuer ? undefined : 'the token is of another issuer';
}

/** Verifies with the key that the token names; without a name, with each that fits. The name of the key, or ''. */
async function verifyWith(token: string, keys: KeySet, options: JWTVerifyOptions): Promise<string> {
  try {
    return (await jwtVerify(token, keys, options)).protectedHeader.kid ?? '';
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let last: unknown = error;
    for await (const key of error) {
      try {
        await jwtVerify(token, key, options);
        return '';
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        last = failure;
      }
    }
    throw last;
  }
}

async function keyOf(token: string, keys: Keys, options: JWTVerifyOptions, now: number): Promise<string> {
  try {
    return await verifyWith(token, await keys.current(now), options);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    const newer = await keys.newer(now);
    if (newer === undefined) throw error;
    return await verifyWith(token, newer, options);
  }
}

/** Causes are of a fixed set: an error's text may quote the token. */
function refusalOf(error: unknown): Verdict {
  if (error instanceof JwksUnavailable)
    return { ok: false, cause: error.message, retryAfter: error.retryAfter };
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired)
    return { ok: false, cause: `the token's ${error.claim} does not hold` };
  if (error instanceof errors.JWKSNoMatchingKey)
    return { ok: false, cause: 'the issuer has no key of the name that the token gives' };
  if (error instanceof errors.JWSSignatureVerificationFailed) return { ok: false, cause: 'no key matched' };
  return { ok: false, cause: 'the token is no JWT that can be verified' };
}

function createVerifier(recipe: JwtRecipe, keys: Keys): Verifier {
  return {
    async verify(request, now) {
      const token = bearerHeader(request);
      if (token === undefined)
        return { ok: false, cause: 'header Authorization with a Bearer token is missing' };
      try {
        const cause = hopeless(token, recipe);
        if (cause !== undefined) return { ok: false, cause };
        const options = {
          issuer: recipe.issuer,
          audience: [...recipe.audiences],
          algorithms: [...recipe.algorithms],
          requiredClaims: ['exp'],
          currentDate: new Date(now),
          clockTolerance: CLOCK_SECONDS,
        };
        const kid = await keyOf(token, keys, options, now);
        return { ok: true, key: kid === '' ? 'jwks' : `jwks/${kid}` };
      } catch (error) {
        return refusalOf(error);
      }
    },
  };
}

const proof: CodeProof = {
  compile({ jwt: recipe }, path, jwks) {
    if (recipe === undefined)
      return refused(`${path}.jwt`, 'is missing; scheme JWT needs the issuer and where its keys are');
    const keys = keysOf(recipe, jwks, path);
    return keys.ok ? compiled(createVerifier(recipe, keys.value)) : keys;
  },
  compileSigner: (_keys, path) =>
    refused(`${path}.scheme`, 'JWT cannot be signed here, the issuer makes its tokens; send one as a header'),
};

/** A token of an issuer (RFC 7519), by the keys that it publishes. Algorithms are pinned; iss, aud, exp and nbf count. */
export const jwt: Scheme = {
  proof,
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};
