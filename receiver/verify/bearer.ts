import { byteText, headerText } from './content.ts';
import { member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';
import { tokenProof } from './token.ts';
import type { SignedRequest } from './verifier.ts';

/** The token of an `Authorization: Bearer` header (RFC 6750 2.1), one character per byte. */
export function bearerHeader({ headers }: Pick<SignedRequest, 'headers'>): string | undefined {
  return /^Bearer +([^ ]+)$/i.exec(headerText(headers, 'authorization') ?? '')?.[1];
}

function queryToken(url: string): string | undefined {
  const at = url.indexOf('?');
  if (at < 0 || !url.includes('access_token', at)) return undefined;
  const token = new URLSearchParams(url.slice(at + 1)).get('access_token');
  return token === null || token === '' ? undefined : byteText(token);
}

/**
 * The bearer token of a request, one character per byte: in the header, else in the query parameter `access_token`
 * (CloudEvents HTTP Web Hooks 3.2). It is never logged, nor is the URL that may hold it.
 */
export function bearerToken(request: Pick<SignedRequest, 'headers' | 'url'>): string | undefined {
  return bearerHeader(request) ?? queryToken(request.url);
}

/** `Authorization: Bearer`, or `?access_token=`. */
export const bearer: Scheme = {
  proof: tokenProof({
    shown: bearerToken,
    place: 'header Authorization with a Bearer token',
    show: (token) => ({ Authorization: `Bearer ${token}` }),
    fault: (token) => (/\s/.test(token) ? 'holds a space, which no bearer token has' : undefined),
  }),
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};
