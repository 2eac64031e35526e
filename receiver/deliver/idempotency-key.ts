import { hash } from 'node:crypto';

/** 128 bits as hex. */
const LENGTH = 32;

/**
 * The key that a target sees with every attempt at one delivery: the same across retries, restarts and redrives
 * (the OJS and HTTP header `Idempotency-Key`). 32 hex digits: SHA-256 over trigger (`namespace/name`), step, source
 * and id, cut to 128 bits. Lengths are part of what is hashed, so that no two sources and ids run together.
 */
export function idempotencyKey(trigger: string, source: string, id: string, step = ''): string {
  return hash('sha256', `${trigger}\n${step}\n${source.length}\n${source}${id}`, 'hex').slice(0, LENGTH);
}
