import type { StateRow } from '../journal/journal.ts';
import { rowKey } from './ledger.ts';

/** Rows that were read or written of late. They may be outdated: what is decided by one expects its version. */
export interface RowCache {
  get(kind: string, id: string): StateRow | undefined;
  put(key: string, row: StateRow | undefined): void;
  drop(key: string): void;
}

/** What a row takes beside its texts. */
const OVERHEAD = 256;

/** Makes an empty cache of so many bytes, the least recently used rows going first. */
export function createRowCache(maxBytes: number): RowCache {
  const rows = new Map<string, StateRow>();
  let bytes = 0;

  function drop(key: string): void {
    const row = rows.get(key);
    if (row === undefined) return;
    rows.delete(key);
    bytes -= weight(row);
  }

  return {
    get(kind, id) {
      const key = rowKey(kind, id);
      const row = rows.get(key);
      if (row === undefined) return undefined;
      rows.delete(key);
      rows.set(key, row);
      return row;
    },
    put(key, row) {
      drop(key);
      if (row === undefined) return;
      rows.set(key, row);
      bytes += weight(row);
      for (const [eldest] of rows) {
        if (bytes <= maxBytes) return;
        drop(eldest);
      }
    },
    drop,
  };
}

function weight({ id, body }: StateRow): number {
  return OVERHEAD + 2 * (id.length + body.length);
}
