import { isDeepStrictEqual } from 'node:util';
import { isStatus } from '../../receiver/kube/api-error.ts';
import { type Backoff, backoffDelay, pause } from '../../receiver/kube/backoff.ts';
import { SHARD_COUNT, type TableIndex } from '../../receiver/routing/shards.ts';
import { type Entry, TABLE_VERSION } from '../../receiver/routing/table.ts';
import type { Log } from '../log.ts';
import type { RoutingSecrets } from './routing-secrets.ts';
import { createTable, type EncodedShard, type Table } from './table.ts';

/** Changes that come within so long of each other are published together. */
const WINDOW_MS = 2;
const RETRY: Backoff = { firstMs: 100, mostMs: 5000 };

/** What became of an entry. */
export interface Published {
  /** The revision from which on the table is as asked for. */
  readonly revision: number;
  /** The entry did not fit: what the table had before stays. */
  readonly full: boolean;
}

/** The routing table of the cluster, and the one way to change it. */
export interface Publisher {
  /**
   * Reads the table back, so that a restart keeps the revision, the holders of sources and the last good entries. Where
   * there is no whole table yet, nothing is written before `release`: receivers must not take a first part of it for all.
   */
  load(): Promise<void>;
  /** There was no table, or one that an operator had not written to its end. */
  readonly held: boolean;
  /** Everything that the first table shall hold has been published: it may be written. */
  release(): void;
  get(key: string): Entry | undefined;
  /** `Kind/namespace/name` of every entry. */
  keys(): IterableIterator<string>;
  holderOf(source: string): string | undefined;
  tokenHolderOf(digest: string): string | undefined;
  /**
   * Puts or removes the entry of a resource at once in `get` and `holderOf`, and resolves when the table in the
   * cluster has it. While the API server is away it waits. Rejects after `stop`.
   */
  publish(key: string, entry: Entry | undefined): Promise<Published>;
  /** A resource is gone, and its entry with it: when that was need not be known any more. */
  forget(key: string): void;
  /** Looks whether somebody else has written the index since, and writes again what differs. */
  check(): void;
  /** The revision that is written. */
  readonly revision: number;
  /** Why the table cannot be written; undefined: it can. */
  readonly trouble: string | undefined;
  stop(): Promise<void>;
}

interface Waiter {
  readonly key: string;
  resolve(published: Published): void;
  reject(error: Error): void;
}

/** What is published together, until the index is written. */
interface Batch {
  readonly waiters: Waiter[];
  readonly changed: Map<number, EncodedShard>;
  /** Those of them that are still to be written. */
  readonly left: Map<number, EncodedShard>;
  /** Keys of entries that did not fit. */
  readonly full: Set<string>;
}

export interface PublisherOptions {
  readonly secrets: RoutingSecrets;
  /** Told of each revision that is written. */
  readonly written: (revision: number) => void;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
}

export function createPublisher({ secrets, written, log, now, random }: PublisherOptions): Publisher {
  let table: Table = createTable(new Map());
  let revision = 0;
  let digests: Record<string, string> = {};
  let waiters: Waiter[] = [];
  let flushing: Promise<void> | undefined;
  let held = false;
  let trouble: string | undefined;
  /** The revision that first held each entry as it is now; what was loaded is held by the revision that was loaded. */
  const since = new Map<string, number>();
  let loadedRevision = 0;
  /** Why the Secrets may be other than this publisher wrote them. */
  let seen: 'nothing' | 'time' | 'conflict' = 'nothing';
  /** Somebody else has written, and the index does not say yet that all is mended. */
  let overwritten = false;
  const stopping = new AbortController();

  /** Publishes batch after batch until nothing waits. Never rejects: those who wait are told. */
  async function flush(): Promise<void> {
    await pause(WINDOW_MS, stopping.signal);
    do {
      const batch: Batch = { waiters: [], changed: new Map(), left: new Map(), full: new Set() };
      try {
        await writeUntilDone(batch);
        for (const { key, resolve } of batch.waiters) {
          resolve({ revision: revisionOf(key), full: batch.full.has(key) });
        }
      } catch (error) {
        for (const { reject } of [...batch.waiters, ...waiters.splice(0)]) reject(error as Error);
      }
    } while (waiters.length > 0);
    flushing = undefined;
  }

  function revisionOf(key: string): number {
    return since.get(key) ?? loadedRevision;
  }

  async function writeUntilDone(batch: Batch): Promise<void> {
    for (let failures = 1; !stopping.signal.aborted; failures += 1) {
      try {
        await lookForOthers();
        take(batch);
        await write(batch);
        trouble = undefined;
        return;
      } catch (error) {
        if (isConflict(error)) seen = 'conflict';
        // Once is what another's write costs.
        if (isConflict(error) && failures === 1) continue;
        trouble = (error as Error).message;
        log.warn({ error: trouble }, 'the routing table could not be written, trying again');
        await pause(backoffDelay(RETRY, failures, random), stopping.signal);
      }
    }
    throw new Error('the operator stops');
  }

  /** Whatever somebody else has written is to be written again, or the next index would name what is not there. */
  async function lookForOthers(): Promise<void> {
    if (seen === 'nothing') return;
    if (seen === 'time' && isOwn(await secrets.readIndex())) {
      seen = 'nothing';
      return;
    }
    const stored = await secrets.read();
    for (let shard = 0; shard < SHARD_COUNT; shard += 1) {
      if (stored.torn.has(shard) || stored.digests[shard] !== digests[shard]) table.touch(shard);
    }
    overwritten = true;
    revision = Math.max(revision, stored.revision);
    seen = 'nothing';
    log.warn(
      { shards: table.dirty.size },
      'the routing table is not as it was written last: what differs is written again',
    );
  }

  function isOwn(index: Pick<TableIndex, 'revision' | 'digests'>): boolean {
    return index.revision === revision && isDeepStrictEqual(index.digests, digests);
  }

  /** Adds all that has changed by now, and those who wait for it. */
  function take(batch: Batch): void {
    const late = waiters.splice(0);
    batch.waiters.push(...late);
    for (const { key } of late) batch.full.delete(key);
    const { shards, full } = table.take();
    for (const key of full) batch.full.add(key);
    for (const shard of shards) {
      batch.changed.set(shard.shard, shard);
      batch.left.set(shard.shard, shard);
    }
  }

  async function write({ waiters: waiting, changed, left }: Batch): Promise<void> {
    if (changed.size === 0 && !overwritten && revision > 0) return;
    await writeShards(left);
    await writeIndex(changed.values());
    if (overwritten) {
      // Revisions before this one may have held anything.
      since.clear();
      loadedRevision = revision;
      overwritten = false;
    }
    for (const { key } of waiting) since.set(key, revision);
  }

  /**
   * A table that starts anew starts above all that were here before: a receiver that keeps an old one on disk would seem
   * to run the new one already. In the long run a table has fewer revisions than seconds.
   */
  function nextRevision(): number {
    return revision === 0 ? Math.floor(now() / 1000) : revision + 1;
  }

  async function writeShards(left: Map<number, EncodedShard>): Promise<void> {
    const results = await Promise.allSettled(
      [...left.values()].map(async ({ shard, bytes }) => {
        await secrets.writeShard(shard, bytes);
        left.delete(shard);
      }),
    );
    const failed = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
    if (failed.length > 0) throw failed.find(isConflict) ?? failed[0];
  }

  async function writeIndex(shards: Iterable<EncodedShard>): Promise<void> {
    const next = { ...digests };
    for (const { shard, digest } of shards) {
      if (digest === undefined) delete next[shard];
      else next[shard] = digest;
    }
    const mine = nextRevision();
    await secrets.writeIndex({ version: TABLE_VERSION, revision: mine, digests: next });
    revision = mine;
    digests = next;
    written(revision);
  }

  return {
    async load() {
      const stored = await secrets.read();
      table = createTable(stored.texts);
      for (const shard of stored.torn) table.touch(shard);
      revision = stored.revision;
      loadedRevision = revision;
      digests = { ...stored.digests };
      held = revision === 0 || stored.torn.size > 0;
    },
    get held() {
      return held;
    },
    release() {
      held = false;
      flushing ??= flush();
    },
    get: (key) => table.get(key),
    keys: () => table.keys(),
    holderOf: (source) => table.holderOf(source),
    tokenHolderOf: (digest) => table.tokenHolderOf(digest),
    publish(key, entry) {
      if (stopping.signal.aborted) return Promise.reject(new Error('the operator stops'));
      const changed = table.set(key, entry);
      if (!changed && table.dirty.size === 0 && flushing === undefined) {
        return Promise.resolve({ revision: revisionOf(key), full: false });
      }
      return new Promise((resolve, reject) => {
        waiters.push({ key, resolve, reject });
        if (!held) flushing ??= flush();
      });
    },
    forget: (key) => void since.delete(key),
    check() {
      if (held || stopping.signal.aborted) return;
      if (seen === 'nothing') seen = 'time';
      flushing ??= flush();
    },
    get revision() {
      return revision;
    },
    get trouble() {
      return trouble;
    },
    async stop() {
      stopping.abort();
      await flushing;
      for (const { reject } of waiters.splice(0)) reject(new Error('the operator stops'));
    },
  };
}

/** Somebody else wrote or removed a Secret since it was read. */
function isConflict(error: unknown): boolean {
  return isStatus(error, 404, 409);
}
