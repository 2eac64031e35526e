import { hash } from 'node:crypto';
import type { CloudEvent } from '../event/event.ts';

/**
 * What `source`+`id` at one entrance is known by in the journal: 16 bytes of SHA-256. The lengths go in first, so that
 * no two triples read as the same text.
 */
export function dedupKey(entrance: string, source: string, id: string): Buffer {
  return digest(`${entrance.length}:${source.length}:${entrance}${source}${id}`, 16);
}

/**
 * Tells a repeat with other content from a true one: 8 bytes of SHA-256 over the data. Attributes are left out, because
 * what lies between sender and receiver adds its own at each attempt (`knativearrivaltime`, `traceparent`).
 */
export function fingerprint(event: CloudEvent): Buffer {
  return digest(event.body ?? '', 8);
}

/** By way of a text, since a buffer from OpenSSL has memory of its own, which costs six times the hash. */
function digest(of: string | Buffer, bytes: number): Buffer {
  return Buffer.from(hash('sha256', of, 'binary').slice(0, bytes), 'latin1');
}
