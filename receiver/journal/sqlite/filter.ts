/**
 * A blocked Bloom filter over 16-byte keys that are hashes already: one key touches one block of 64 bytes, so a look-up
 * costs one cache line. 16 bits a key, 6 of them set: about one miss in a thousand is not seen as one.
 */
const BITS_PER_KEY = 16;
const BLOCK_WORDS = 16;

/** An empty filter for so many keys. */
export function createFilter(keys: number): Uint32Array {
  return new Uint32Array(Math.ceil((Math.max(keys, 1) * BITS_PER_KEY) / 512) * BLOCK_WORDS);
}

/** Adds the key whose four words stand in `key` from `at` on. */
export function addToFilter(filter: Uint32Array, key: Uint32Array, at: number): void {
  const block = blockOf(filter, key[at] ?? 0);
  for (const word of [key[at + 1] ?? 0, key[at + 2] ?? 0]) {
    set(filter, block, word & 511);
    set(filter, block, (word >>> 9) & 511);
    set(filter, block, (word >>> 18) & 511);
  }
}

/** False: the key was never added. */
export function mayHold(filter: Uint32Array, key: Uint32Array): boolean {
  const block = blockOf(filter, key[0] ?? 0);
  const a = key[1] ?? 0;
  if (!has(filter, block, a & 511) || !has(filter, block, (a >>> 9) & 511)) return false;
  const b = key[2] ?? 0;
  return (
    has(filter, block, (a >>> 18) & 511) &&
    has(filter, block, b & 511) &&
    has(filter, block, (b >>> 9) & 511) &&
    has(filter, block, (b >>> 18) & 511)
  );
}

function blockOf(filter: Uint32Array, word: number): number {
  return Math.floor((word / 0x1_0000_0000) * (filter.length / BLOCK_WORDS)) * BLOCK_WORDS;
}

function set(filter: Uint32Array, block: number, bit: number): void {
  const word = block + (bit >>> 5);
  filter[word] = (filter[word] ?? 0) | (1 << (bit & 31));
}

function has(filter: Uint32Array, block: number, bit: number): boolean {
  return ((filter[block + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0;
}
