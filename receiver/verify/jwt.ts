import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { type Compiled, compiled, refused } from '../errors.ts';
import type { JwtRecipe } from '../routing/table.ts';
import { bearerHeader } from './bearer.ts';
import { type JwksSource, JwksUnavailable, type KeySet, parseJwks } from './jwks-source.ts';
import { member } from './payload-rules.ts';
import type { CodeProof, Scheme } from './scheme.ts';
import type { SignedRequest, Verdict, Verifier } from './verifier.ts';

/** How far the issuer's clock may be off: a token is often shown within the second that it is made in. */
const CLOCK_SECONDS = 5;

/** The keys of one issuer, wherever they are. */
export interface IssuerKeys {
  current(now: number): Promise<KeySet>;
  newer(now: number): Promise<KeySet | undefined>;
}

function keysOf(recipe: JwtRecipe, jwks: JwksSource, path: string): Compiled<IssuerKeys> {
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
function hopeless(token: string, recipe: Pick<JwtRecipe, 'issuer' | 'algorithms'>): string | undefined {
  const { alg } = decodeProtectedHeader(token);
  if (alg === undefined || !recipe.algorithms.includes(alg))
    return 'the token is signed by another algorithm';
  return decodeJwt(token).iss === recipe.issuer ? undefined : 'the token is of another issuer';
}

/** A token that holds. */
interface Proved {
  /** The name of the key, or ''. */
  readonly kid: string;
  /** Who it speaks for, or ''. */
  readonly subject: string;
}

function proved({ protectedHeader, payload }: JWTVerifyResult): Proved {
  return { kid: protectedHeader.kid ?? '', subject: payload.sub ?? '' };
}

/** Verifies with the key that the token names; without a name, with each that fits. */
async function verifyWith(token: string, keys: KeySet, options: JWTVerifyOptions): Promise<Proved> {
  try {
    return proved(await jwtVerify(token, keys, options));
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let last: unknown = error;
    for await (const key of error) {
      try {
        return { ...proved(await jwtVerify(token, key, options)), kid: '' };
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        last = failure;
      }
    }
    throw last;
  }
}

async function verifyByKeys(
  token: string,
  keys: IssuerKeys,
  options: JWTVerifyOptions,
  now: number,
): Promise<Proved> {
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
function refusalOf(error: unknown): Refused {
  if (error instanceof JwksUnavailable)
    return { ok: false, cause: error.message, retryAfter: error.retryAfter };
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired)
    return { ok: false, cause: `the token's ${error.claim} does not hold` };
  if (error instanceof errors.JWKSNoMatchingKey)
    return { ok: false, cause: 'the issuer has no key of the name that the token gives' };
  if (error instanceof errors.JWSSignatureVerificationFailed) return { ok: false, cause: 'no key matched' };
  return { ok: false, cause: 'the token is no JWT that can be verified' };
}

type Refused = Extract<Verdict, { readonly ok: false }>;

/** Judges the Bearer token of a request: whether it is of this issuer, for one of its audiences, and still in time. */
export async function judgeToken(
  request: Pick<SignedRequest, 'headers'>,
  recipe: Pick<JwtRecipe, 'issuer' | 'audiences' | 'algorithms'>,
  keys: IssuerKeys,
  now: number,
): Promise<({ readonly ok: true } & Proved) | Refused> {
  const token = bearerHeader(request);
  if (token === undefined) return { ok: false, cause: 'header Authorization with a Bearer token is missing' };
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
    return { ok: true, ...(await verifyByKeys(token, keys, options, now)) };
  } catch (error) {
    return refusalOf(error);
  }
}

function createVerifier(recipe: JwtRecipe, keys: IssuerKeys): Verifier {
  return {
    async verify(request, now) {
      const verdict = await judgeToken(request, recipe, keys, now);
      if (!verdict.ok) return verdict;
      return { ok: true, key: verdict.kid === '' ? 'jwks' : `jwks/${verdict.kid}` };
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
