import { dedupKey } from '../journal/dedup-key.ts';

/** An event that came again. */
export interface Repeat {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly entrance: string;
  readonly source: string;
  readonly id: string;
  /** It came with other bytes. */
  readonly differs: boolean;
}

/** How often an event came again, since the receiver started. */
export interface Repeats {
  readonly count: number;
  /** How many of them had other bytes. */
  readonly differing: number;
  readonly lastAt: number;
}

/** What is known of repeats, in memory. */
export interface RepeatLog {
  add(repeat: Repeat): void;
  of(entrance: string, source: string, id: string): Repeats | undefined;
}

/** Events whose repeats are kept; the one that was not repeated for the longest time goes first. Some 3 MB. */
export const REPEATS_KEPT = 10_000;

/** Makes a log of at most `bound` events. Known by their hash, so that long ids take no more room than short ones. */
export function createRepeatLog(bound: number): RepeatLog {
  /** In the order of their last repeat. */
  const kept = new Map<string, Repeats>();
  const keyOf = (entrance: string, source: string, id: string): string =>
    dedupKey(entrance, source, id).toString('latin1');
  return {
    add({ at, entrance, source, id, differs }) {
      const key = keyOf(entrance, source, id);
      const before = kept.get(key);
      kept.delete(key);
      kept.set(key, {
        count: (before?.count ?? 0) + 1,
        differing: (before?.differing ?? 0) + (differs ? 1 : 0),
        lastAt: at,
      });
      if (kept.size <= bound) return;
      const [oldest = ''] = kept.keys();
      kept.delete(oldest);
    },
    of: (entrance, source, id) => kept.get(keyOf(entrance, source, id)),
  };
}
