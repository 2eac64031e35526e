import type { IncomingHttpHeaders } from 'node:http';
import type { Family } from './family.ts';

/** A request as verification sees it: raw, before anything is parsed. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as received, without scheme and host. */
  readonly url: string;
  /** Lower-case names, as `node:http` joins them (values are latin1-decoded bytes). */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Once it is proved: the family of headers that it is proved by, where the scheme knows several. */
  readonly family?: Family;
}

/**
 * What verification found. `key` is the name of the secret that matched, `family` that of the headers that count where
 * the scheme knows several. `cause` is for the decision record only:
 * every refusal looks the same from outside. With `retryAfter` (seconds) it could not be found out now, and the same
 * request may hold later.
 */
export type Verdict =
  | { readonly ok: true; readonly key: string; readonly family?: Family }
  | { readonly ok: false; readonly cause: string; readonly retryAfter?: number };

/** Proves who sent a request. `now` is in milliseconds since the epoch. Async only where keys must be fetched. */
export interface Verifier {
  verify(request: SignedRequest, now: number): Verdict | Promise<Verdict>;
}
