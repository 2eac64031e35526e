/** A hash table of 16-byte keys in typed arrays, in order of arrival; the newest can be taken back. */
export interface KeyTable {
  readonly count: number;
  /** Four words per key. */
  readonly words: Uint32Array;
  /** Where each key's entry lies: row of the log and offset in it; and when it expires. */
  readonly rows: Float64Array;
  readonly offsets: Uint32Array;
  readonly expires: Float64Array;
  /** The entry of a key that is still valid at `now`, or -1. */
  find(key: Uint32Array, now: number): number;
  add(key: Uint32Array, row: number, offset: number, expires: number): void;
  /** Takes back all but the first `count` entries. */
  truncate(count: number): void;
  /** Empties it for other keys; its memory stays. */
  clear(): void;
}

const FIRST_CAPACITY = 1024;

/** Makes an empty table. */
export function createKeyTable(): KeyTable {
  let capacity = FIRST_CAPACITY;
  let count = 0;
  let words = new Uint32Array(capacity * 4);
  let rows = new Float64Array(capacity);
  let offsets = new Uint32Array(capacity);
  let expires = new Float64Array(capacity);
  let slots = new Int32Array(capacity * 2);

  function equal(entry: number, key: Uint32Array): boolean {
    const at = entry * 4;
    return (
      words[at] === key[0] && words[at + 1] === key[1] && words[at + 2] === key[2] && words[at + 3] === key[3]
    );
  }

  function occupy(entry: number): void {
    const mask = slots.length - 1;
    let slot = (words[entry * 4 + 3] ?? 0) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry + 1;
  }

  function grow(): void {
    capacity *= 2;
    words = copied(new Uint32Array(capacity * 4), words);
    rows = copied(new Float64Array(capacity), rows);
    offsets = copied(new Uint32Array(capacity), offsets);
    expires = copied(new Float64Array(capacity), expires);
    slots = new Int32Array(capacity * 2);
    for (let entry = 0; entry < count; entry++) occupy(entry);
  }

  return {
    get count() {
      return count;
    },
    get words() {
      return words;
    },
    get rows() {
      return rows;
    },
    get offsets() {
      return offsets;
    },
    get expires() {
      return expires;
    },
    find(key, now) {
      const mask = slots.length - 1;
      let slot = (key[3] ?? 0) & mask;
      for (let held = slots[slot] ?? 0; held !== 0; held = slots[slot] ?? 0) {
        if (equal(held - 1, key) && (expires[held - 1] ?? 0) > now) return held - 1;
        slot = (slot + 1) & mask;
      }
      return -1;
    },
    add(key, row, offset, expiry) {
      if (count === capacity) grow();
      words.set(key, count * 4);
      rows[count] = row;
      offsets[count] = offset;
      expires[count] = expiry;
      occupy(count);
      count++;
    },
    truncate(kept) {
      // Newest first, so that no chain of slots is broken by a gap.
      const mask = slots.length - 1;
      while (count > kept) {
        count--;
        let slot = (words[count * 4 + 3] ?? 0) & mask;
        while (slots[slot] !== count + 1) slot = (slot + 1) & mask;
        slots[slot] = 0;
      }
    },
    clear() {
      count = 0;
      slots.fill(0);
    },
  };
}

function copied<T extends Uint32Array | Float64Array>(into: T, from: T): T {
  into.set(from);
  return into;
}
