/** `requests` per `perMs` milliseconds. */
export interface Rate {
  readonly requests: number;
  readonly perMs: number;
}

/** Lets through a rate, and bursts of as much as one period brings. */
export interface TokenBucket {
  /** Takes a token: 0 where there was one, else the milliseconds until there is. */
  take(now: number): number;
  isFull(now: number): boolean;
  readonly rate: Rate;
}

/** What adding up fractions of tokens may have lost, in milliseconds. */
const ROUNDING = 1e-6;

/** Makes a full bucket. Pure but for its own state: the time is passed in. */
export function createTokenBucket(rate: Rate, start: number): TokenBucket {
  const perToken = rate.perMs / rate.requests;
  let tokens = rate.requests;
  let filledAt = start;

  function fill(now: number): void {
    tokens = Math.min(rate.requests, tokens + Math.max(0, now - filledAt) / perToken);
    filledAt = now;
  }

  return {
    rate,
    isFull(now) {
      fill(now);
      return tokens >= rate.requests;
    },
    take(now) {
      fill(now);
      if (tokens >= 1 - ROUNDING) {
        tokens = Math.max(0, tokens - 1);
        return 0;
      }
      return Math.max(1, Math.ceil((1 - tokens) * perToken - ROUNDING));
    },
  };
}
