import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Entry, entryKey, type TABLE_VERSION } from './table.ts';

/*
 * How a table lies in a cluster: an index Secret and 64 shard Secrets of fixed names, because a Role can list names but
 * no wildcard. An entry's shard depends on its namespace and name alone, so that an edit rewrites one shard.
 */

/** How many shards a table has; fixed, because the chart creates one Secret for each. */
export const SHARD_COUNT = 64;
/** Bytes of gzip that one shard may hold: a Secret ends at 1 MiB, and base64 and metadata want their part. */
export const MAX_SHARD_BYTES = 900_000;
/** Uncompressed bytes that a receiver is willing to inflate from one shard. */
export const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
/** The Secret that is written last. */
export const INDEX_SECRET_NAME = 'signalbox-routing-index';
/** The key below `data` in each of the Secrets. */
export const SECRET_DATA_KEY = 'table';

/** What the index Secret holds as JSON. A shard without entries has no digest. */
export interface TableIndex {
  readonly version: typeof TABLE_VERSION;
  readonly revision: number;
  /** Shard number as a decimal string → hex SHA-256 of the shard's bytes. */
  readonly digests: Readonly<Record<string, string>>;
}

/** Which shard an entry lies in: FNV-1a over `namespace/name`, both ASCII by Kubernetes' rules. */
export function shardOf(namespace: string, name: string): number {
  const key = `${namespace}/${name}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash % SHARD_COUNT;
}

/** `signalbox-routing-07` */
export function shardSecretName(shard: number): string {
  return `signalbox-routing-${String(shard).padStart(2, '0')}`;
}

/** One shard's bytes. The same entries give the same bytes, whatever their order. */
export function encodeShard(entries: readonly Entry[]): { readonly bytes: Buffer; readonly digest: string } {
  return encodeTexts(new Map(entries.map((entry) => [entryKey(entry), JSON.stringify(entry)])));
}

/** The same, of entries as JSON by their keys. */
export function encodeTexts(texts: ReadonlyMap<string, string>): {
  readonly bytes: Buffer;
  readonly digest: string;
  /** How many bytes a receiver inflates. */
  readonly inflatedBytes: number;
} {
  const sorted = [...texts.keys()].sort().map((key) => texts.get(key) ?? '');
  const inflated = Buffer.from(`[${sorted.join(',')}]`);
  const bytes = gzipSync(inflated);
  return { bytes, digest: digestOf(bytes), inflatedBytes: inflated.length };
}

/** Hex SHA-256, as the index lists it. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads a shard back. Throws where the bytes are no shard; the caller has compared the digest before. */
export function decodeShard(bytes: Uint8Array): Entry[] {
  return JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString()) as Entry[];
}
