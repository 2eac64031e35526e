import { isStatus } from '../../receiver/kube/api-error.ts';
import { type Backoff, backoffDelay, pause } from '../../receiver/kube/backoff.ts';
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

export interface PublisherOptions {
  readonly secrets: RoutingSecrets;
  /** Told of each revision that is written. */
  readonly written: (revision: number) => void;
  readonly log: Log;
  readonly random: () => number;
}

export function createPublisher({ secrets, written, log, random }: PublisherOptions): Publisher {
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
  const stopping = new AbortController();

  /** Publishes batch after batch until nothing waits. Never rejects: those who wait are told. */
  async function flush(): Promise<void> {
    await pause(WINDOW_MS, stopping.signal);
    do {
      const batch = waiters;
      waiters = [];
      try {
        const full = await publishChanges(batch);
        for (const { key, resolve } of batch) resolve({ revision: revisionOf(key), full: full.has(key) });
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    } while (waiters.length > 0);
    flushing = undefined;
  }

  async function publishChanges(batch: readonly Waiter[]): Promise<ReadonlySet<string>> {
    const { shards, full } = table.take();
    if (shards.length > 0 || revision === 0) {
      await writeUntilDone(shards);
      for (const { key } of batch) since.set(key, revision);
    }
    return new Set(full);
  }

  function revisionOf(key: string): number {
    return since.get(key) ?? loadedRevision;
  }

  async function writeUntilDone(shards: readonly EncodedShard[]): Promise<void> {
    const left = new Map(shards.map((shard) => [shard.shard, shard]));
    for (let failures = 1; !stopping.signal.aborted; failures += 1) {
      try {
        await writeShards(left);
        await writeIndex(shards);
        trouble = undefined;
        return;
      } catch (error) {
        trouble = (error as Error).message;
        log.warn({ error: trouble }, 'the routing table could not be written, trying again');
        await pause(backoffDelay(RETRY, failures, random), stopping.signal);
      }
    }
    throw new Error('the operator stops');
  }

  async function writeShards(left: Map<number, EncodedShard>): Promise<void> {
    const results = await Promise.allSettled(
      [...left.values()].map(async ({ shard, bytes }) => {
        await adoptOnConflict(
          () => secrets.writeShard(shard, bytes),
          () => secrets.adoptShard(shard),
        );
        left.delete(shard);
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async function writeIndex(shards: readonly EncodedShard[]): Promise<void> {
    const next = { ...digests };
    for (const { shard, digest } of shards) {
      if (digest === undefined) delete next[shard];
      else next[shard] = digest;
    }
    let mine = revision + 1;
    await adoptOnConflict(
      () => secrets.writeIndex({ version: TABLE_VERSION, revision: mine, digests: next }),
      async () => {
        mine = Math.max(mine, (await secrets.readRevision()) + 1);
      },
    );
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

/** Someone else wrote the Secret since: their version is taken over and written again, once. */
async function adoptOnConflict(write: () => Promise<void>, adopt: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isStatus(error, 404, 409)) throw error;
    await adopt();
    await write();
  }
}
