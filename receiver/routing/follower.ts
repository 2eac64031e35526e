import type { Log } from '../observe/log.ts';
import { decodeShard, digestOf, INDEX_SECRET_NAME, shardSecretName, type TableIndex } from './shards.ts';
import { type Entry, type RoutingTable, TABLE_VERSION } from './table.ts';
import type { TableFile } from './table-file.ts';

/** Reads a routing Secret's bytes by name; undefined where there is no such Secret or it is empty. */
export type ReadSecret = (name: string) => Promise<Uint8Array | undefined>;

/** What a follower works with. */
export interface FollowerParts {
  readonly read: ReadSecret;
  readonly file: TableFile;
  readonly apply: (table: RoutingTable) => void;
  readonly log: Log;
}

/** Follows the published table, one index at a time, and applies only what is whole. */
export interface Follower {
  /** The last good table from disk is applied; false where there is none. */
  restore(): Promise<boolean>;
  /**
   * The index Secret reads like this now. Fetches the shards whose digest changed and applies the table when every
   * digest fits; answers false where one does not (the operator is in the middle of its writes: the same index may fit
   * later). One of another version never will.
   */
  follow(index: Uint8Array): Promise<boolean>;
}

/** Makes a follower. `follow` calls are to be made one after another. */
export function createFollower({ read, file, apply, log }: FollowerParts): Follower {
  let revision = -1;
  let kept = true;
  const known = new Map<string, readonly Entry[]>();

  function accept(index: TableIndex): void {
    const entries = Object.values(index.digests).flatMap((digest) => known.get(digest) ?? []);
    apply({ version: TABLE_VERSION, revision: index.revision, entries });
    revision = index.revision;
    const wanted = new Set(Object.values(index.digests));
    for (const digest of known.keys()) if (!wanted.has(digest)) known.delete(digest);
  }

  async function fetchMissing(index: TableIndex): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    const missing = Object.entries(index.digests).filter(([, digest]) => !known.has(digest));
    const fetched = new Map<string, Uint8Array>();
    const whole = await Promise.all(
      missing.map(async ([shard, digest]) => {
        const bytes = await read(shardSecretName(Number(shard)));
        if (bytes === undefined || digestOf(bytes) !== digest) return false;
        fetched.set(digest, bytes);
        return true;
      }),
    );
    return whole.every(Boolean) ? fetched : undefined;
  }

  return {
    async restore() {
      const stored = await file.load();
      if (stored === undefined) return false;
      apply(stored.table);
      log.info(
        { revision: stored.table.revision },
        'the last good routing table is in force until the API server tells more',
      );
      return true;
    },
    async follow(bytes) {
      const index = JSON.parse(Buffer.from(bytes).toString()) as TableIndex;
      if (index.version !== TABLE_VERSION) {
        log.error(
          { version: index.version, secret: INDEX_SECRET_NAME },
          'the routing table is of another version: update the receiver; the last good table stays in force',
        );
        return true;
      }
      if (index.revision === revision) return true;
      // What could not be kept on disk is fetched again, so that the next save is whole.
      if (!kept) known.clear();
      const fetched = await fetchMissing(index);
      if (fetched === undefined) return false;
      for (const [digest, shard] of fetched) known.set(digest, decodeShard(shard));
      accept(index);
      kept = await file.save(index, fetched).then(
        () => true,
        (error: unknown) => {
          log.error({ error: String(error) }, 'the routing table is in force but could not be kept on disk');
          return false;
        },
      );
      return true;
    },
  };
}
