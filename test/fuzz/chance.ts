/** Random choices that a seed decides, so that a finding can be had again. */
export interface Chance {
  /** A whole number from 0 up to and without `below`. */
  below(limit: number): number;
  /** True in so many of a hundred cases. */
  percent(share: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** Makes choices from a seed (mulberry32). */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  const chance: Chance = {
    below: (limit) => next() % limit,
    percent: (share) => next() % 100 < share,
    pick(from) {
      if (from.length === 0) throw new Error('there is nothing to pick from');
      return from[next() % from.length] as (typeof from)[number];
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 0xff)),
  };
  return chance;
}
