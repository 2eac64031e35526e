import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeShard, digestOf, type TableIndex } from './shards.ts';
import { type Entry, type RoutingTable, TABLE_VERSION } from './table.ts';

/**
 * The last good table on disk, so that a receiver starts when the API server is away. Shards lie as they came, named by
 * their digest; the index is written last and renamed into place, so that a crash leaves the old table or the new one.
 * Files are 0600: they hold key material. A shard that the index no longer names is removed, and revoked keys with it.
 */
export interface TableFile {
  /** The table, or undefined where there is none that is whole. */
  load(): Promise<{ readonly table: RoutingTable; readonly index: TableIndex } | undefined>;
  /** Keeps a table: `shards` holds at least those that the folder does not have yet, by digest. */
  save(index: TableIndex, shards: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

/** Opens the folder `directory`/routing, made when first written. */
export function createTableFile(directory: string): TableFile {
  const folder = join(directory, 'routing');
  const indexFile = join(folder, 'index.json');
  return {
    async load() {
      try {
        const index = JSON.parse(await readFile(indexFile, 'utf8')) as TableIndex;
        const entries: Entry[] = [];
        // One after another: inflated all at once, they would set the process's memory for good.
        for (const digest of Object.values(index.digests)) entries.push(...(await readShard(folder, digest)));
        return { index, table: { version: TABLE_VERSION, revision: index.revision, entries } };
      } catch {
        return undefined;
      }
    },
    async save(index, shards) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const wanted = new Set(Object.values(index.digests));
      const present = new Set(await readdir(folder));
      for (const digest of wanted) {
        const bytes = shards.get(digest);
        if (!present.has(shardFile(digest)) && bytes !== undefined)
          await writeDurably(join(folder, shardFile(digest)), bytes);
      }
      await writeDurably(indexFile, Buffer.from(JSON.stringify(index)));
      for (const file of present) {
        if (file.startsWith('shard-') && !wanted.has(file.slice('shard-'.length)))
          await unlink(join(folder, file));
      }
    },
  };
}

function shardFile(digest: string): string {
  return `shard-${digest}`;
}

async function readShard(folder: string, digest: string) {
  const bytes = await readFile(join(folder, shardFile(digest)));
  if (digestOf(bytes) !== digest) throw new Error(`shard ${digest} on disk is not what the index names`);
  return decodeShard(bytes);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
