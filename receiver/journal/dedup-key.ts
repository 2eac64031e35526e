import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { CloudEvent } from '../event/event.ts';

/**
 * What `source`+`id` at one entrance is known by in the journal: 16 bytes of SHA-256. The lengths go in first, so that
 * no two triples read as the same text. By way of a text, since a buffer from OpenSSL has memory of its own, which costs
 * six times the hash.
 */
export function dedupKey(entrance: string, source: string, id: string): Buffer {
  const text = `${entrance.length}:${source.length}:${entrance}${source}${id}`;
  return Buffer.from(hash('sha256', text, 'binary').slice(0, 16), 'latin1');
}

/**
 * Tells a repeat with other content from a true one: length and CRC-32 of the data, four bytes each. It guards nothing, only
 * a warning hangs on it, so that it need not be hard to forge. Attributes are left out, because what lies between sender
 * and receiver adds its own at each attempt (`knativearrivaltime`, `traceparent`).
 */
export function fingerprint({ body }: CloudEvent): Buffer {
  const told = Buffer.allocUnsafe(8);
  told.writeUInt32LE(body?.length ?? 0, 0);
  told.writeUInt32LE(body === undefined ? 0 : crc32(body), 4);
  return told;
}
