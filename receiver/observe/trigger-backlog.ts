import type { DeliveryRow } from '../journal/journal.ts';

/**
 * How many deliveries of each trigger wait or are parked, kept and not counted when asked. What an earlier process left is
 * counted once, page by page, while deliveries come and go.
 */
export interface TriggerBacklog {
  /** A delivery was committed; `id` where it is one that was brought back. */
  added(trigger: string, id?: number): void;
  /** A delivery was delivered, or is dead. */
  ended(trigger: string, id: number): void;
  /** From here on ids above `newest` are this process's own; the others are to be shown by `found`. */
  countUpTo(newest: number): void;
  /** What an earlier process left: one may be shown again, in another state. */
  found(rows: readonly Pick<DeliveryRow, 'id' | 'trigger'>[]): void;
  of(trigger: string): number;
}

/** Makes one that knows of nothing. */
export function createTriggerBacklog(): TriggerBacklog {
  const counts = new Map<string, number>();
  /** Of ids up to `upTo`: counted, or ended before they could be. */
  const settled = createIdSet();
  let upTo = 0;

  function change(trigger: string, by: number): void {
    const count = Math.max(0, (counts.get(trigger) ?? 0) + by);
    if (count === 0) counts.delete(trigger);
    else counts.set(trigger, count);
  }

  return {
    added(trigger, id) {
      if (id !== undefined && id <= upTo) settled.add(id);
      change(trigger, 1);
    },
    ended(trigger, id) {
      // One that was not found yet is not counted later either.
      if (id > upTo || !settled.add(id)) change(trigger, -1);
    },
    countUpTo(newest) {
      upTo = newest;
    },
    found(rows) {
      for (const { id, trigger } of rows) if (id <= upTo && settled.add(id)) change(trigger, 1);
    },
    of: (trigger) => counts.get(trigger) ?? 0,
  };
}

/** Bits of one block of ids. */
const BLOCK = 65_536;

/** Ids that lie close together, a bit for each. */
function createIdSet(): { add(id: number): boolean } {
  const blocks = new Map<number, Uint8Array>();
  return {
    /** True: it was not there. */
    add(id) {
      const number = Math.floor(id / BLOCK);
      const block = blocks.get(number) ?? new Uint8Array(BLOCK / 8);
      blocks.set(number, block);
      const bit = id % BLOCK;
      const byte = block[bit >> 3] ?? 0;
      block[bit >> 3] = byte | (1 << (bit & 7));
      return (byte & (1 << (bit & 7))) === 0;
    },
  };
}
