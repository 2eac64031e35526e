import type { DatabaseSync } from 'node:sqlite';
import { PAGE_BYTES } from './database.ts';

/** History is dropped from this part of the limit on. */
const TRIM_FROM = 0.95;
/** What a batch may take in the file: so many times its own size, and its inner pages, tails and indexes. */
const GROWTH = 4;
const GROWTH_AT_LEAST = 16 * PAGE_BYTES;
/** It is measured again after this much at the latest: other things grow, too. */
const MEASURED_AFTER = 16 << 20;

/** How much of the journal's limit is used. Pages that were freed count as free: the file is reused, not shrunk. */
export interface Space {
  readonly bytes: number;
  readonly full: boolean;
  readonly tight: boolean;
  /** The same before a batch of so many bytes is written; to be asked for each. It only measures where that may matter. */
  tightAfter(bytes: number): boolean;
}

/** Measures against a limit in bytes. */
export function createSpace(db: DatabaseSync, maxBytes: number): Space {
  const pages = db.prepare('PRAGMA page_count');
  const free = db.prepare('PRAGMA freelist_count');
  pages.setReturnArrays(true);
  free.setReturnArrays(true);

  function used(): number {
    const [total] = pages.get() as unknown as [number];
    const [unused] = free.get() as unknown as [number];
    return (total - unused) * PAGE_BYTES;
  }

  /** Bytes until history is dropped. */
  function room(): number {
    return maxBytes * TRIM_FROM - used();
  }

  /** So much may still be written before it has to be measured. */
  let unmeasured = 0;

  function tightAfter(bytes: number): boolean {
    unmeasured -= GROWTH * bytes + GROWTH_AT_LEAST;
    if (unmeasured > 0) return false;
    const left = room();
    unmeasured = Math.min(left, MEASURED_AFTER);
    return left <= 0;
  }

  return {
    tightAfter,
    get bytes() {
      return used();
    },
    get full() {
      return used() >= maxBytes;
    },
    get tight() {
      return room() <= 0;
    },
  };
}
