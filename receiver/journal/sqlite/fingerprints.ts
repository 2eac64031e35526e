/**
 * Which of the sorted runs may hold a key, in memory: per run some 5 bytes a key. A look-up costs a cache line in each
 * million keys, and not one in each run; and a key that no run holds is taken for one of theirs once in many millions.
 *
 * Runs of about the same age share a hash table: the slot is told by the key's first word, and holds 27 bits of its second
 * and the run's place in the group (1 to 31; 0: the slot is empty).
 */
const PLACE_BITS = 5;
const PLACES = (1 << PLACE_BITS) - 1;
const FULL = 0.75;

/** Keys of runs, by what tells them apart. `R` is a run. */
export interface Fingerprints<R> {
  /** Adds the first `count` keys of `words`, four words each. */
  add(run: R, words: Uint32Array, count: number): void;
  drop(run: R): void;
  /** Adds the runs that may hold the key to `found`, in no order. */
  find(key: Uint32Array, found: R[]): void;
}

interface Group<R> {
  readonly slots: Uint32Array;
  readonly runs: (R | undefined)[];
  keys: number;
}

/** Makes an empty one for runs of about so many keys; larger ones are taken, too. */
export function createFingerprints<R>(runKeys: number): Fingerprints<R> {
  /** Newest last. */
  const groups: Group<R>[] = [];

  function groupFor(count: number): Group<R> {
    const last = groups.at(-1);
    if (last !== undefined && last.runs.length < PLACES && last.keys + count <= last.slots.length * FULL)
      return last;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(runKeys * 16, (count + 1) / FULL)));
    const fresh = { slots: new Uint32Array(slots), runs: [], keys: 0 };
    groups.push(fresh);
    return fresh;
  }

  return {
    add(run, words, count) {
      const group = groupFor(count);
      const place = group.runs.push(run);
      const { slots } = group;
      const mask = slots.length - 1;
      group.keys += count;
      for (let i = 0; i < count; i++) {
        let slot = (words[i * 4] ?? 0) & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = (((words[i * 4 + 1] ?? 0) >>> PLACE_BITS) << PLACE_BITS) | place;
      }
    },
    drop(run) {
      for (const [i, { runs }] of groups.entries()) {
        const place = runs.indexOf(run);
        if (place < 0) continue;
        // Its keys stay in the table, and lead nowhere, until the whole group has gone.
        runs[place] = undefined;
        if (runs.every((each) => each === undefined)) groups.splice(i, 1);
        return;
      }
    },
    find(key, found) {
      const wanted = (key[1] ?? 0) >>> PLACE_BITS;
      const first = key[0] ?? 0;
      for (const { slots, runs } of groups) {
        const mask = slots.length - 1;
        let slot = first & mask;
        for (let held = slots[slot] ?? 0; held !== 0; held = slots[slot] ?? 0) {
          const run = held >>> PLACE_BITS === wanted ? runs[(held & PLACES) - 1] : undefined;
          if (run !== undefined) found.push(run);
          slot = (slot + 1) & mask;
        }
      }
    },
  };
}
