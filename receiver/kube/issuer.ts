import type { IssuerDocuments } from '../verify/cluster-tokens.ts';
import type { KubeClient } from './client.ts';

/** The API server answers 406 where this is not named. */
const JWKS = 'application/jwk-set+json, application/json';

/**
 * The cluster's own issuer, asked at the API server: every ServiceAccount may read both documents, and the JWKS is there
 * also where `jwks_uri` names an address that pods do not reach.
 */
export function clusterIssuer(client: Pick<KubeClient, 'json'>): IssuerDocuments {
  return {
    configuration: async () =>
      JSON.stringify(await client.json({ path: '/.well-known/openid-configuration' })),
    keys: async () => JSON.stringify(await client.json({ path: '/openid/v1/jwks', accept: JWKS })),
  };
}
