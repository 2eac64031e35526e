import type { IssuerDocuments } from '../verify/cluster-tokens.ts';
import type { KubeClient } from './client.ts';

/**
 * The cluster's own issuer, asked at the API server: every ServiceAccount may read both documents, and the JWKS is there
 * also where `jwks_uri` names an address that pods do not reach.
 */
export function clusterIssuer(client: Pick<KubeClient, 'json'>): IssuerDocuments {
  const read = async (path: string) => JSON.stringify(await client.json({ path }));
  return {
    configuration: () => read('/.well-known/openid-configuration'),
    keys: () => read('/openid/v1/jwks'),
  };
}
