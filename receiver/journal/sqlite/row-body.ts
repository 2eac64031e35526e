import type { DatabaseSync } from 'node:sqlite';

/**
 * A longer body lies apart, at the end of a table of its own, anew whenever it changes. A row then keeps its size and its
 * page for life: in place, a body that grows would split a page that is full and cold, and drag its neighbours along.
 */
const LONGEST_IN_ROW = 256;

/** The body of a row, as a column of a statement over `row`. */
export const BODY = 'coalesce((SELECT text FROM body WHERE body.id = row.apart), row.body)';

/** Where a body lies: in its row, or apart under that number. */
export interface Placed {
  readonly body: string;
  readonly apart: number | null;
}

/** Puts bodies and drops them, in the caller's transaction. */
export interface RowBodies {
  put(text: string): Placed;
  drop(apart: number | null): void;
}

/** Opens the table of bodies. */
export function createRowBodies(db: DatabaseSync): RowBodies {
  const insert = db.prepare('INSERT INTO body (text) VALUES (?)');
  const remove = db.prepare('DELETE FROM body WHERE id = ?');
  return {
    put(text) {
      if (text.length <= LONGEST_IN_ROW) return { body: text, apart: null };
      return { body: '', apart: Number(insert.run(text).lastInsertRowid) };
    },
    drop(apart) {
      if (apart !== null) remove.run(apart);
    },
  };
}
