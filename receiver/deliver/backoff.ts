import type { DeliveryPolicy } from '../routing/table.ts';

/** How far a delay strays from its nominal length, up and down, so that failures that came together part. */
const JITTER = 0.2;
/** Past this many doublings every delay is at its bound anyway. */
const MAX_EXPONENT = 40;
const DIGITS = /^\d+$/;

/**
 * Milliseconds from failed attempt number `attempt` (1 is the first) to the next one: exponential or linear in
 * `backoffDelayMs` (Knative's DeliverySpec), ±20 % jitter. Without `retry` no delay is longer than `ceilingMs`;
 * with it the author's own figures hold, up to `maxAgeMs`. `random` is from 0 up to 1.
 */
export function retryDelay(policy: DeliveryPolicy, attempt: number, random: () => number): number {
  const grown = GROWTH[policy.backoffPolicy](policy.backoffDelayMs, attempt);
  const bound = policy.retry === undefined ? policy.ceilingMs : policy.maxAgeMs;
  return jittered(Math.min(grown, bound), random);
}

/** `ms` ± 20 %, whole milliseconds. */
export function jittered(ms: number, random: () => number): number {
  return Math.round(ms * (1 - JITTER + 2 * JITTER * random()));
}

const GROWTH = {
  exponential: (delay: number, attempt: number): number => delay * 2 ** Math.min(attempt - 1, MAX_EXPONENT),
  linear: (delay: number, attempt: number): number => delay * attempt,
};

/**
 * Milliseconds that a `Retry-After` header (RFC 9110, 10.2.3: seconds or an HTTP date) asks for from `now` on;
 * undefined where there is none, or none that can be read.
 */
export function retryAfter(header: string | readonly string[] | undefined, now: number): number | undefined {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim();
  if (value === undefined || value === '') return undefined;
  if (DIGITS.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
