import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../observe/log.ts';
import { createFollower } from './follower.ts';
import { encodeShard, shardOf, shardSecretName } from './shards.ts';
import type { Entry, RoutingTable } from './table.ts';
import { createTableFile } from './table-file.ts';
import { endpointEntry, triggerEntry } from './testing.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-follower-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** A cluster's Secrets, written as the operator writes them. */
function publisher() {
  const secrets = new Map<string, Uint8Array>();
  const reads: string[] = [];
  return {
    secrets,
    reads,
    read: async (name: string) => {
      reads.push(name);
      return secrets.get(name);
    },
    publish(revision: number, entries: readonly Entry[]): Uint8Array {
      const digests: Record<string, string> = {};
      for (const shard of new Set(entries.map((entry) => shardOf(entry.namespace, entry.name)))) {
        const encoded = encodeShard(
          entries.filter((entry) => shardOf(entry.namespace, entry.name) === shard),
        );
        secrets.set(shardSecretName(shard), encoded.bytes);
        digests[String(shard)] = encoded.digest;
      }
      return Buffer.from(JSON.stringify({ version: 1, revision, digests }));
    },
  };
}

function following(read: (name: string) => Promise<Uint8Array | undefined>) {
  const applied: RoutingTable[] = [];
  const follower = createFollower({
    read,
    file: createTableFile(directory),
    apply: (table) => applied.push(table),
    log: createLog('silent'),
  });
  return { applied, follower };
}

describe('the follower', () => {
  it('applies a whole table, and reads again only the shards that changed', async () => {
    const source = publisher();
    const { applied, follower } = following(source.read);
    expect(await follower.follow(source.publish(1, [endpointEntry(), triggerEntry()]))).toBe(true);
    expect(applied.at(-1)?.entries).toHaveLength(2);
    const kept = applied[0]!.entries.find((entry) => entry.kind === 'WebhookSecret');
    source.reads.length = 0;
    await follower.follow(source.publish(2, [endpointEntry(), triggerEntry({ generation: 2 })]));
    expect(source.reads).toEqual([shardSecretName(shardOf('shop', 'forward'))]);
    expect(applied.at(-1)?.revision).toBe(2);
    expect(applied.at(-1)?.entries.find((entry) => entry.kind === 'WebhookSecret')).toBe(kept);
  });

  it('applies nothing while a shard does not fit its digest', async () => {
    const source = publisher();
    const { applied, follower } = following(source.read);
    const index = source.publish(1, [triggerEntry()]);
    source.publish(2, [triggerEntry({ generation: 2 })]);
    expect(await follower.follow(index)).toBe(false);
    expect(applied).toEqual([]);
  });

  it('starts from disk when nobody publishes', async () => {
    const source = publisher();
    await following(source.read).follower.follow(source.publish(5, [triggerEntry()]));
    const restarted = following(async () => undefined);
    expect(await restarted.follower.restore()).toBe(true);
    expect(restarted.applied[0]?.revision).toBe(5);
    expect(restarted.applied[0]?.entries).toEqual([triggerEntry()]);
  });

  it('refuses a table of another version and keeps the last good one', async () => {
    const source = publisher();
    const { applied, follower } = following(source.read);
    await follower.follow(source.publish(1, [triggerEntry()]));
    // There is nothing to look for again before the next index.
    expect(await follower.follow(Buffer.from(JSON.stringify({ version: 2, revision: 2, digests: {} })))).toBe(
      true,
    );
    expect(applied).toHaveLength(1);
  });
});
