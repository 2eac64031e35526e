import {
  encodeTexts,
  MAX_INFLATED_BYTES,
  MAX_SHARD_BYTES,
  SHARD_COUNT,
  shardOf,
} from '../../receiver/routing/shards.ts';
import type { EndpointEntry, Entry } from '../../receiver/routing/table.ts';
import { heldTokens } from '../plan/bearer-tokens.ts';

/** What fits into a table, in bytes. */
export interface TableLimits {
  /** One shard as it is written. */
  readonly shard: number;
  /** One shard as a receiver inflates it: one too large would hold up every later table. */
  readonly inflated: number;
  /** One entry as JSON, so that a few that compress well leave a shard's room to others. */
  readonly entry: number;
}

const LIMITS: TableLimits = { shard: MAX_SHARD_BYTES, inflated: MAX_INFLATED_BYTES, entry: 256 * 1024 };

/** One shard as it shall be written. `digest` is undefined for a shard without entries. */
export interface EncodedShard {
  readonly shard: number;
  readonly bytes: Buffer;
  readonly digest: string | undefined;
}

/** The table as it is meant to be: entries by key and shard, who holds which source, and which shards have changed. */
export interface Table {
  get(key: string): Entry | undefined;
  /** `Kind/namespace/name` of every entry. */
  keys(): IterableIterator<string>;
  /** `namespace/name` of the WebhookSecret that holds a source. */
  holderOf(source: string): string | undefined;
  /** `namespace/name` of the WebhookSecret that a Bearer token, by its digest, leads to. */
  tokenHolderOf(digest: string): string | undefined;
  /** Puts or removes an entry. Answers false where nothing changes. */
  set(key: string, entry: Entry | undefined): boolean;
  /** Shards that changed since they were last taken. */
  readonly dirty: ReadonlySet<number>;
  /** Marks a shard to be written again. */
  touch(shard: number): void;
  /**
   * Encodes the dirty shards and takes them as clean. Entries that are too large, or no longer fit their shard, are put
   * back to what they were before (or to nothing) and told in `full`.
   */
  take(): { readonly shards: readonly EncodedShard[]; readonly full: readonly string[] };
}

/** Entries are kept as their JSON: a tenth of what they take as objects, and that is what is compared and written. */
export function createTable(initial: ReadonlyMap<string, string>, limits: TableLimits = LIMITS): Table {
  const shards = Array.from({ length: SHARD_COUNT }, () => new Map<string, string>());
  const sources = new Map<string, string>();
  const tokens = new Map<string, string>();
  const dirty = new Set<number>();
  /** What each changed key had when its shard was last taken, in order of change. */
  const before = new Map<string, string | undefined>();

  function mapOf(key: string): Map<string, string> {
    return shards[shardOfKey(key)] ?? new Map<string, string>();
  }

  function place(key: string, text: string | undefined): void {
    const map = mapOf(key);
    const isEndpoint = key.startsWith('WebhookSecret/');
    const old = isEndpoint ? map.get(key) : undefined;
    if (old !== undefined) release(read<EndpointEntry>(old));
    if (text === undefined) map.delete(key);
    else map.set(key, text);
    if (isEndpoint && text !== undefined) hold(read<EndpointEntry>(text));
  }

  function release(entry: EndpointEntry): void {
    const name = nameOf(entry);
    if (sources.get(entry.source) === name) sources.delete(entry.source);
    for (const digest of heldTokens(entry)) if (tokens.get(digest) === name) tokens.delete(digest);
  }

  function hold(entry: EndpointEntry): void {
    sources.set(entry.source, nameOf(entry));
    for (const digest of heldTokens(entry)) tokens.set(digest, nameOf(entry));
  }

  function encode(shard: number): { readonly encoded: EncodedShard; readonly fits: boolean } {
    const texts = shards[shard] ?? new Map<string, string>();
    const { bytes, digest, inflatedBytes } = encodeTexts(texts);
    return {
      encoded: { shard, bytes, digest: texts.size === 0 ? undefined : digest },
      fits: bytes.length <= limits.shard && inflatedBytes <= limits.inflated,
    };
  }

  function putBack(key: string, full: string[]): void {
    place(key, before.get(key));
    full.push(key);
  }

  function putBackTooLarge(full: string[]): void {
    for (const [key, old] of before) {
      const text = mapOf(key).get(key) ?? '';
      if (text !== old && Buffer.byteLength(text) > limits.entry) putBack(key, full);
    }
  }

  /** Encodes a shard; puts the latest changes back, one after the other, until the rest fits. */
  function shrink(shard: number, full: string[]): EncodedShard {
    const changed = [...before.keys()].filter((key) => shardOfKey(key) === shard).toReversed();
    let { encoded, fits } = encode(shard);
    for (const key of changed) {
      if (fits) break;
      const text = mapOf(key).get(key);
      // A removal makes room and stays; what is as it was before makes none.
      if (text === undefined || text === before.get(key)) continue;
      putBack(key, full);
      ({ encoded, fits } = encode(shard));
    }
    return encoded;
  }

  for (const [key, text] of initial) place(key, text);

  return {
    get(key) {
      const text = mapOf(key).get(key);
      return text === undefined ? undefined : read(text);
    },
    *keys() {
      for (const shard of shards) yield* shard.keys();
    },
    holderOf: (source) => sources.get(source),
    tokenHolderOf: (digest) => tokens.get(digest),
    set(key, entry) {
      const old = mapOf(key).get(key);
      const text = entry === undefined ? undefined : JSON.stringify(entry);
      if (old === text) return false;
      if (!before.has(key)) before.set(key, old);
      place(key, text);
      dirty.add(shardOfKey(key));
      return true;
    },
    dirty,
    touch: (shard) => void dirty.add(shard),
    take() {
      const full: string[] = [];
      putBackTooLarge(full);
      const encoded = [...dirty].map((shard) => shrink(shard, full));
      dirty.clear();
      before.clear();
      return { shards: encoded, full };
    },
  };
}

function read<E extends Entry>(text: string): E {
  return JSON.parse(text) as E;
}

/** The shard of `Kind/namespace/name`. */
function shardOfKey(key: string): number {
  const [, namespace = '', name = ''] = key.split('/');
  return shardOf(namespace, name);
}

function nameOf(entry: EndpointEntry): string {
  return `${entry.namespace}/${entry.name}`;
}
