import type { IssuerDocuments } from './cluster-tokens.ts';
import type { FetchJwks } from './jwks-source.ts';

/** How an issuer is asked: as it is given, at its address by OpenID Connect discovery, or not at all. */
export function issuerDocuments(
  issuer: string | IssuerDocuments | undefined,
  fetchText: FetchJwks,
): IssuerDocuments {
  if (issuer === undefined) {
    const unknown = () => Promise.reject(new Error('no issuer is known here: start with --issuer'));
    return { configuration: unknown, keys: unknown };
  }
  if (typeof issuer !== 'string') return issuer;
  return {
    configuration: () => fetchText(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`),
    keys: fetchText,
  };
}
