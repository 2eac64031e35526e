import { hash } from 'node:crypto';
import { tokenText } from '../verify/token.ts';
import type { EndpointEntry } from './table.ts';

/** Finds who a bearer token belongs to. */
export interface BearerIndex<E> {
  /** `token` has one character per byte. */
  find(token: string): E | undefined;
}

/**
 * What a token is looked up by. A look-up by the token itself would compare it character by character; how long one by
 * its hash takes tells nothing of any other token.
 */
export function bearerDigest(token: string): string {
  return hash('sha256', Buffer.from(token, 'latin1'), 'base64url');
}

/**
 * Indexes the endpoints of scheme Bearer by their tokens' hashes. A token that is marked as another endpoint's leads to
 * that one; of two that both claim one, the first.
 */
export function buildBearerIndex<E extends { readonly entry: EndpointEntry }>(
  endpoints: Iterable<E>,
): BearerIndex<E> {
  const byDigest = new Map<string, E>();
  for (const endpoint of endpoints) {
    if (endpoint.entry.scheme !== 'Bearer') continue;
    for (const key of endpoint.entry.keys) {
      const digest = bearerDigest(tokenText(key));
      if (key.heldBy === undefined && !byDigest.has(digest)) byDigest.set(digest, endpoint);
    }
  }
  return { find: (token) => byDigest.get(bearerDigest(token)) };
}
