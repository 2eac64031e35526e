import { hash } from 'node:crypto';
import type { CloudEvent } from '../event/event.ts';

/**
 * What `source`+`id` at one entrance is known by in the journal: 16 bytes of SHA-256. The lengths go in first, so that
 * no two triples read as the same text.
 */
export function dedupKey(entrance: string, source: string, id: string): Buffer {
  return hash('sha256', `${entrance.length}:${source.length}:${entrance}${source}${id}`, 'buffer').subarray(
    0,
    16,
  );
}

/**
 * Tells a repeat with other content from a true one: 8 bytes of SHA-256 over the data. Attributes are left out, because
 * what lies between sender and receiver adds its own at each attempt (`knativearrivaltime`, `traceparent`).
 */
export function fingerprint(event: CloudEvent): Buffer {
  return hash('sha256', event.body ?? '', 'buffer').subarray(0, 8);
}
