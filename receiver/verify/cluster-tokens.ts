import { createJwksSource, JwksUnavailable } from './jwks-source.ts';
import { judgeToken } from './jwt.ts';
import type { SignedRequest } from './verifier.ts';

/** Where an issuer's documents are read: OpenID Connect discovery. Rejects with a message that is safe to log. */
export interface IssuerDocuments {
  /** `/.well-known/openid-configuration` */
  configuration(): Promise<string>;
  /** The JWKS that the configuration names. */
  keys(jwksUri: string): Promise<string>;
}

/** What a trigger asks of who sends to its cluster address. */
export interface Wanted {
  readonly audience: string;
  /** Left out: everyone with such a token. A trailing `*` stands for any end. */
  readonly subjects?: readonly string[];
}

/** `cause` is for the record; with `retryAfter` (seconds) it could not be found out now. */
export type TokenVerdict =
  | { readonly ok: true; readonly subject: string }
  | { readonly ok: false; readonly cause: string; readonly retryAfter?: number; readonly forbidden?: true };

/** Tokens of the cluster's issuer, as Kubernetes gives them to pods and Knative sends them. */
export interface ClusterTokens {
  judge(request: Pick<SignedRequest, 'headers'>, wanted: Wanted, now: number): Promise<TokenVerdict>;
}

/** What Kubernetes signs by. */
const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512'];

/** The issuer's name and keys are read when first asked for, kept, and read again as `createJwksSource` has it. */
export function createClusterTokens(documents: IssuerDocuments, clock: () => number): ClusterTokens {
  let issuer = '';
  const jwks = createJwksSource(async () => {
    const { name, jwksUri } = readConfiguration(await documents.configuration());
    const keys = await documents.keys(jwksUri);
    issuer = name;
    return keys;
  }, clock);
  const keys = {
    current: (now: number) => jwks.keys(THE_ISSUER, now),
    newer: (now: number) => jwks.newer(THE_ISSUER, now),
  };
  return {
    async judge(request, { audience, subjects }, now) {
      try {
        await keys.current(now);
      } catch (error) {
        if (error instanceof JwksUnavailable)
          return { ok: false, cause: error.message, retryAfter: error.retryAfter };
        throw error;
      }
      const recipe = { issuer, audiences: [audience], algorithms: ALGORITHMS };
      const verdict = await judgeToken(request, recipe, keys, now);
      if (!verdict.ok) return verdict;
      const subject = textOrNone(verdict.subject);
      if (subjects !== undefined && !subjects.some((pattern) => fits(pattern, subject)))
        return { ok: false, cause: `subject ${subject} is not in cluster.subjects`, forbidden: true };
      return { ok: true, subject };
    },
  };
}

/** A claim can be of any type, whatever it is declared as. */
function textOrNone(claim: unknown): string {
  return typeof claim === 'string' ? claim : '';
}

/** There is one, whatever its address. */
const THE_ISSUER = 'cluster';

function fits(pattern: string, subject: string): boolean {
  return pattern.endsWith('*') ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern;
}

function readConfiguration(text: string): { readonly name: string; readonly jwksUri: string } {
  const { issuer, jwks_uri: jwksUri } = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (typeof issuer !== 'string' || typeof jwksUri !== 'string')
    throw new Error('its openid-configuration names no issuer and jwks_uri');
  return { name: issuer, jwksUri };
}
