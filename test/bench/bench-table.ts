import { mkdir } from 'node:fs/promises';
import { encodeShard, shardOf, type TableIndex } from '../../receiver/routing/shards.ts';
import type { Entry, Filter, TriggerEntry } from '../../receiver/routing/table.ts';
import { createTableFile } from '../../receiver/routing/table-file.ts';
import { endpointEntry, triggerEntry } from '../../receiver/routing/testing.ts';

/** Writes a table where a receiver finds its last good one, so that it can be started without a cluster. */
export async function writeTable(directory: string, entries: readonly Entry[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const groups = Map.groupBy(entries, (entry) => shardOf(entry.namespace, entry.name));
  const shards = new Map<string, Uint8Array>();
  const digests: Record<string, string> = {};
  for (const [shard, group] of groups) {
    const { bytes, digest } = encodeShard(group);
    shards.set(digest, bytes);
    digests[String(shard)] = digest;
  }
  const index: TableIndex = { version: 1, revision: 1, digests };
  await createTableFile(directory).save(index, shards);
}

/** One endpoint and one trigger that takes all that comes to it. */
export function oneRoute(sink: string, over: Partial<TriggerEntry> = {}): readonly Entry[] {
  const destination = { kind: 'sink', url: sink, headers: [] } as const;
  return [endpointEntry(), triggerEntry({ destination, ...over })];
}

/** That route, and `count` others beside it: 100 types, half by prefix, a tenth with a condition. */
export function manyRoutes(sink: string, count: number): readonly Entry[] {
  const others = Array.from({ length: count - 1 }, (_, i): TriggerEntry => {
    const type = `bench.other.t${i % 100}`;
    const filter: Filter = i % 2 === 0 ? { exact: { type } } : { prefix: { type } };
    return triggerEntry({
      name: `other-${i}`,
      uid: `uid-${i}`,
      filters: [filter, { exact: { subject: `tenant-${i}` } }],
      destination: { kind: 'sink', url: sink, headers: [] },
      ...(i % 10 === 0 ? { condition: `data.amount > ${i}` } : {}),
    });
  });
  return [...oneRoute(sink, { filters: [{ exact: { type: 'bench.order' } }] }), ...others];
}
