import type { SignedRequest } from './verifier.ts';

const SCHEME = /^bearer +/i;

/** The token of a request (RFC 6750): the `Authorization` header's, or the `access_token` of the query. */
export function bearerToken({ headers, url }: Pick<SignedRequest, 'headers' | 'url'>): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined)
    return SCHEME.test(authorization) ? authorization.replace(SCHEME, '').trim() : undefined;
  const query = url.indexOf('?');
  if (query < 0) return undefined;
  return new URLSearchParams(url.slice(query)).get('access_token') ?? undefined;
}
