import { encodeShard, MAX_SHARD_BYTES, SHARD_COUNT, shardOf } from '../../receiver/routing/shards.ts';
import { type EndpointEntry, type Entry, entryKey } from '../../receiver/routing/table.ts';
import { heldTokens } from '../plan/bearer-tokens.ts';

/** One shard as it shall be written. `digest` is undefined for a shard without entries. */
export interface EncodedShard {
  readonly shard: number;
  readonly bytes: Buffer;
  readonly digest: string | undefined;
}

/** The table as it is meant to be: entries by key and shard, who holds which source, and which shards have changed. */
export interface Table {
  get(key: string): Entry | undefined;
  entries(): IterableIterator<Entry>;
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
   * Encodes the dirty shards and takes them as clean. Entries that no longer fit their shard are put back to what they
   * were before (or to nothing) and told in `full`.
   */
  take(): { readonly shards: readonly EncodedShard[]; readonly full: readonly string[] };
}

export function createTable(initial: readonly Entry[], maxBytes: number = MAX_SHARD_BYTES): Table {
  const shards = Array.from({ length: SHARD_COUNT }, () => new Map<string, Entry>());
  const sources = new Map<string, string>();
  const tokens = new Map<string, string>();
  const dirty = new Set<number>();
  /** What each changed key had when its shard was last taken, in order of change. */
  const before = new Map<string, Entry | undefined>();

  function mapOf(key: string): Map<string, Entry> {
    return shards[shardOfKey(key)] ?? new Map<string, Entry>();
  }

  function place(key: string, entry: Entry | undefined): void {
    const map = mapOf(key);
    const old = map.get(key);
    if (old?.kind === 'WebhookSecret') release(old);
    if (entry === undefined) map.delete(key);
    else map.set(key, entry);
    if (entry?.kind === 'WebhookSecret') hold(entry);
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

  function encode(shard: number): EncodedShard {
    const entries = [...(shards[shard]?.values() ?? [])];
    const { bytes, digest } = encodeShard(entries);
    return { shard, bytes, digest: entries.length === 0 ? undefined : digest };
  }

  /** Puts the latest changes back, one after the other, until the rest fits. */
  function shrink(shard: number, full: string[]): EncodedShard {
    const changed = [...before.keys()].filter((key) => shardOfKey(key) === shard).toReversed();
    let encoded = encode(shard);
    for (const key of changed) {
      if (encoded.bytes.length <= maxBytes) break;
      // A removal makes room and stays.
      if (mapOf(key).get(key) === undefined) continue;
      place(key, before.get(key));
      full.push(key);
      encoded = encode(shard);
    }
    return encoded;
  }

  for (const entry of initial) place(entryKey(entry), entry);

  return {
    get: (key) => mapOf(key).get(key),
    *entries() {
      for (const shard of shards) yield* shard.values();
    },
    holderOf: (source) => sources.get(source),
    tokenHolderOf: (digest) => tokens.get(digest),
    set(key, entry) {
      const old = mapOf(key).get(key);
      if (old === entry || JSON.stringify(old) === JSON.stringify(entry)) return false;
      if (!before.has(key)) before.set(key, old);
      place(key, entry);
      dirty.add(shardOfKey(key));
      return true;
    },
    dirty,
    touch: (shard) => void dirty.add(shard),
    take() {
      const full: string[] = [];
      const encoded = [...dirty].map((shard) => {
        const whole = encode(shard);
        return whole.bytes.length <= maxBytes ? whole : shrink(shard, full);
      });
      dirty.clear();
      before.clear();
      return { shards: encoded, full };
    },
  };
}

/** The shard of `Kind/namespace/name`. */
function shardOfKey(key: string): number {
  const [, namespace = '', name = ''] = key.split('/');
  return shardOf(namespace, name);
}

function nameOf(entry: EndpointEntry): string {
  return `${entry.namespace}/${entry.name}`;
}
