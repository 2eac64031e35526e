import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeShard, encodeShard, SHARD_COUNT, shardOf, shardSecretName } from './shards.ts';
import { triggerEntry } from './testing.ts';

describe('shards', () => {
  it('come back as they were, in any order of entries, with one digest', () => {
    const a = triggerEntry({ name: 'a' });
    const b = triggerEntry({ name: 'b' });
    const forth = encodeShard([a, b]);
    const back = encodeShard([b, a]);
    expect(forth.digest).toBe(back.digest);
    expect(decodeShard(forth.bytes)).toEqual([a, b]);
  });

  it('have another digest when an entry changes', () => {
    const before = encodeShard([triggerEntry({ name: 'a', generation: 1 })]);
    const after = encodeShard([triggerEntry({ name: 'a', generation: 2 })]);
    expect(before.digest).not.toBe(after.digest);
  });

  it('take every entry, evenly enough that no shard fills first', () => {
    const counts = new Array<number>(SHARD_COUNT).fill(0);
    for (let i = 0; i < 64_000; i++) counts[shardOf('shop', `trigger-${i}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(Math.max(...counts)).toBeLessThan(1400);
    fc.assert(
      fc.property(fc.string(), fc.string(), (namespace, name) => {
        const shard = shardOf(namespace, name);
        expect(shard).toBeGreaterThanOrEqual(0);
        expect(shard).toBeLessThan(SHARD_COUNT);
      }),
    );
  });

  it('have fixed names', () => {
    expect(shardSecretName(7)).toBe('signalbox-routing-07');
    expect(shardSecretName(63)).toBe('signalbox-routing-63');
  });
});
