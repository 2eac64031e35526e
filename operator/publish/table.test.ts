import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeShard, shardOf } from '../../receiver/routing/shards.ts';
import { type Entry, entryKey } from '../../receiver/routing/table.ts';
import { endpointEntry, triggerEntry } from '../../receiver/routing/testing.ts';
import { createTable, type TableLimits } from './table.ts';

const KEY = 'EventTrigger/shop/forward';

function textsOf(entry: Entry): ReadonlyMap<string, string> {
  return new Map([[entryKey(entry), JSON.stringify(entry)]]);
}

test('only what changes is dirty, and a removal leaves an empty shard without a digest', () => {
  const table = createTable(textsOf(triggerEntry()));
  expect(table.set(KEY, triggerEntry())).toBe(false);
  expect(table.dirty.size).toBe(0);
  expect(table.set(KEY, triggerEntry({ suspend: true }))).toBe(true);
  expect([...table.dirty]).toEqual([shardOf('shop', 'forward')]);
  expect(decodeShard(table.take().shards[0]?.bytes ?? Buffer.alloc(0))).toMatchObject([{ suspend: true }]);
  table.set(KEY, undefined);
  const [shard] = table.take().shards;
  expect(shard?.digest).toBeUndefined();
  expect(decodeShard(shard?.bytes ?? Buffer.alloc(0))).toEqual([]);
});

test('a source is held until its holder lets go', () => {
  const table = createTable(textsOf(endpointEntry({ source: 'orders' })));
  expect(table.holderOf('orders')).toBe('shop/hooks');
  table.set('WebhookSecret/shop/hooks', endpointEntry({ source: 'other' }));
  expect(table.holderOf('orders')).toBeUndefined();
  expect(table.holderOf('other')).toBe('shop/hooks');
});

/** Limits that no test comes near, but for those that are given. */
function limits(over: Partial<TableLimits>): TableLimits {
  return { shard: 1e6, inflated: 1e6, entry: 1e6, ...over };
}

test('an entry that does not fit is put back to what was there, and a removal beside it stays', () => {
  const noise = (): string => randomBytes(3000).toString('base64');
  const table = createTable(textsOf(triggerEntry()), limits({ shard: 2000 }));
  table.set(KEY, triggerEntry({ condition: noise(), generation: 2 }));
  const { shards, full } = table.take();
  expect(full).toEqual([KEY]);
  expect(shards[0]?.bytes.length).toBeLessThanOrEqual(2000);
  expect(table.get(KEY)).toMatchObject({ generation: 1 });
  table.set(KEY, undefined);
  expect(table.take().full).toEqual([]);
  expect(table.get(KEY)).toBeUndefined();
});

test('a shard that a receiver would not inflate is not written, however well it compresses', () => {
  const table = createTable(textsOf(triggerEntry()), limits({ inflated: 10_000 }));
  const condition = ' '.repeat(20_000);
  table.set(KEY, triggerEntry({ condition, generation: 2 }));
  const { shards, full } = table.take();
  expect(full).toEqual([KEY]);
  expect(decodeShard(shards[0]?.bytes ?? Buffer.alloc(0))).toMatchObject([{ generation: 1 }]);
});

test('an entry that is too large by itself is put back, and what came after it stays', () => {
  const table = createTable(textsOf(triggerEntry()));
  const other = triggerEntry({ name: 'other' });
  table.set(KEY, triggerEntry({ condition: ' '.repeat(256 * 1024), generation: 2 }));
  table.set('EventTrigger/shop/other', other);
  expect(table.take().full).toEqual([KEY]);
  expect(table.get(KEY)).toMatchObject({ generation: 1 });
  expect(table.get('EventTrigger/shop/other')).toEqual(other);
});

test('an entry that is in the table already stays, though it would be too large today', () => {
  const large = triggerEntry({ condition: ' '.repeat(256 * 1024) });
  const table = createTable(textsOf(large));
  table.touch(shardOf('shop', 'forward'));
  const { shards, full } = table.take();
  expect(full).toEqual([]);
  expect(decodeShard(shards[0]?.bytes ?? Buffer.alloc(0))).toEqual([large]);
});
