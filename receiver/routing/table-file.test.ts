import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeShard, type TableIndex } from './shards.ts';
import { createTableFile } from './table-file.ts';
import { endpointEntry, triggerEntry } from './testing.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-table-'));
});
afterEach(() => rm(directory, { recursive: true }));

function indexed(revision: number, ...groups: Parameters<typeof encodeShard>[0][]) {
  const shards = groups.map((entries) => encodeShard(entries));
  const index: TableIndex = {
    version: 1,
    revision,
    digests: Object.fromEntries(shards.map(({ digest }, i) => [String(i), digest])),
  };
  return { index, shards: new Map(shards.map(({ digest, bytes }) => [digest, bytes])) };
}

describe('the table on disk', () => {
  it('comes back as it was saved', async () => {
    const { index, shards } = indexed(7, [endpointEntry()], [triggerEntry()]);
    await createTableFile(directory).save(index, shards);
    const loaded = await createTableFile(directory).load();
    expect(loaded?.table).toEqual({ version: 1, revision: 7, entries: [endpointEntry(), triggerEntry()] });
  });

  it('forgets the shards of before, and the keys in them', async () => {
    const file = createTableFile(directory);
    const before = indexed(1, [endpointEntry()]);
    await file.save(before.index, before.shards);
    const after = indexed(2, [triggerEntry()]);
    await file.save(after.index, after.shards);
    const names = await readdir(join(directory, 'routing'));
    expect(names.toSorted()).toEqual(['index.json', `shard-${after.index.digests['0']}`]);
  });

  it('needs only the shards that are new', async () => {
    const file = createTableFile(directory);
    const before = indexed(1, [endpointEntry()]);
    await file.save(before.index, before.shards);
    const both = indexed(2, [endpointEntry()], [triggerEntry()]);
    both.shards.delete(both.index.digests['0']!);
    await file.save(both.index, both.shards);
    expect((await file.load())?.table.entries).toHaveLength(2);
  });

  it('is nobody else’s to read', async () => {
    const { index, shards } = indexed(1, [endpointEntry()]);
    await createTableFile(directory).save(index, shards);
    for (const name of await readdir(join(directory, 'routing'))) {
      expect((await stat(join(directory, 'routing', name))).mode & 0o077).toBe(0);
    }
  });

  it('is not loaded where a shard is torn', async () => {
    const { index, shards } = indexed(1, [endpointEntry()]);
    await createTableFile(directory).save(index, shards);
    const shard = join(directory, 'routing', `shard-${index.digests['0']}`);
    await writeFile(shard, (await readFile(shard)).subarray(0, 20));
    expect(await createTableFile(directory).load()).toBeUndefined();
  });

  it('is undefined where there is none', async () => {
    expect(await createTableFile(directory).load()).toBeUndefined();
  });
});
