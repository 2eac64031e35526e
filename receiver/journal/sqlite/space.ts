import type { DatabaseSync } from 'node:sqlite';
import { PAGE_BYTES } from './database.ts';

/** History is dropped from this part of the limit on. */
const TRIM_FROM = 0.95;

/** How much of the journal's limit is used. Pages that were freed count as free: the file is reused, not shrunk. */
export interface Space {
  readonly bytes: number;
  readonly full: boolean;
  readonly tight: boolean;
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

  return {
    get bytes() {
      return used();
    },
    get full() {
      return used() >= maxBytes;
    },
    get tight() {
      return used() >= maxBytes * TRIM_FROM;
    },
  };
}
