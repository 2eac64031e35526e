import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** Finds the key that a token names, among those of one issuer. */
export type KeySet = JWTVerifyGetKey;

/** The keys of issuers that publish them. Times are in milliseconds since the epoch. */
export interface JwksSource {
  /** The keys at an address, as they were fetched not long ago. Throws JwksUnavailable. */
  keys(uri: string, now: number): Promise<KeySet>;
  /**
   * The keys at an address, fetched anew because a token names one that is not among them; `undefined` where that was done
   * for another such token within a minute. Throws JwksUnavailable.
   */
  newer(uri: string, now: number): Promise<KeySet | undefined>;
}

/** An issuer's keys are not to be had: whether a token is right cannot be told now. */
export class JwksUnavailable extends Error {
  /** Seconds. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number) {
    super(message);
    this.name = 'JwksUnavailable';
    this.retryAfter = retryAfter;
  }
}

/** Fetches a JWKS document, bounded in time and size. Rejects with a message that is safe to log. */
export type FetchJwks = (uri: string) => Promise<string>;

/** Keys older than this are fetched again before they are used: what an issuer takes back must end. */
const FRESH_MS = 10 * 60_000;
/** At most one fetch in so long for key ids that are unknown: anyone can make one up. */
const UNKNOWN_KEY_MS = 60_000;
/** After a fetch that failed, the next is not made sooner. */
const FAILED_MS = 5000;

interface Issuer {
  keys: KeySet | undefined;
  fetchedAt: number;
  failedAt: number;
  failure: string;
  /** When it was last asked for an unknown key. */
  askedAt: number;
  pending: Promise<void> | undefined;
}

/** Parses a JWKS document. Throws where it is none. */
export function parseJwks(text: string): KeySet {
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}

/**
 * A cache over `fetchJwks`: one fetch at a time per address, keys that were fetched once serve on while the issuer is
 * away. It outlives the routing table, so that a changed route fetches nothing. `clock` tells when a fetch ended.
 */
export function createJwksSource(fetchJwks: FetchJwks, clock: () => number): JwksSource {
  const issuers = new Map<string, Issuer>();

  function issuerOf(uri: string): Issuer {
    let issuer = issuers.get(uri);
    if (issuer === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      issuer = {
        keys: undefined,
        fetchedAt: never,
        failedAt: never,
        failure: '',
        askedAt: never,
        pending: undefined,
      };
      issuers.set(uri, issuer);
    }
    return issuer;
  }

  async function fetchOnce(issuer: Issuer, uri: string, now: number): Promise<void> {
    try {
      issuer.keys = parseJwks(await fetchJwks(uri));
      issuer.fetchedAt = now;
      issuer.failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      // Not when it began: an issuer that never answers has the fetch last as long as the pause after it.
      issuer.failedAt = clock();
      issuer.failure = error instanceof Error ? error.message : String(error);
    }
  }

  function fetchInto(issuer: Issuer, uri: string, now: number): Promise<void> {
    issuer.pending ??= fetchOnce(issuer, uri, now).finally(() => {
      issuer.pending = undefined;
    });
    return issuer.pending;
  }

  function unavailable(issuer: Issuer, ms: number): JwksUnavailable {
    return new JwksUnavailable(
      `the issuer's keys could not be fetched: ${issuer.failure}`,
      Math.ceil(ms / 1000),
    );
  }

  return {
    async keys(uri, now) {
      const issuer = issuerOf(uri);
      const sinceFailed = now - issuer.failedAt;
      if (now - issuer.fetchedAt >= FRESH_MS && sinceFailed >= FAILED_MS) {
        const fetching = fetchInto(issuer, uri, now);
        // Once an issuer was found to be away, nobody waits for it while older keys are there.
        if (issuer.keys === undefined || sinceFailed >= FRESH_MS) await fetching;
      }
      if (issuer.keys === undefined) throw unavailable(issuer, FAILED_MS);
      return issuer.keys;
    },
    async newer(uri, now) {
      const issuer = issuerOf(uri);
      if (issuer.pending === undefined) {
        if (now - issuer.askedAt < UNKNOWN_KEY_MS) {
          if (issuer.failedAt < issuer.askedAt) return undefined;
          throw unavailable(issuer, UNKNOWN_KEY_MS - (now - issuer.askedAt));
        }
        issuer.askedAt = now;
      }
      await fetchInto(issuer, uri, now);
      if (issuer.failedAt > issuer.fetchedAt) throw unavailable(issuer, UNKNOWN_KEY_MS);
      return issuer.keys;
    },
  };
}

/** For checking an entry without a network. */
export const NO_JWKS: JwksSource = {
  keys: () => Promise.reject(new JwksUnavailable('there is no network here', 1)),
  newer: () => Promise.reject(new JwksUnavailable('there is no network here', 1)),
};
