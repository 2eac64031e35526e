import type { DatabaseSync } from 'node:sqlite';

/**
 * A row's first body lies in the row. One that is longer than what the row has, and than this, lies apart, at the end of a
 * table of its own, anew whenever it changes: so a row never grows. One that does would split a page that is full and cold,
 * and drag its neighbours along.
 */
const LONGEST_IN_ROW = 256;
/** A longer first body lies apart, too: a list that is narrowed by status walks over the rows. */
const LONGEST_FIRST = 2048;

/** The body of a row, as a column of a statement over `row`. */
export const BODY = 'coalesce((SELECT text FROM body WHERE body.id = row.apart), row.body)';

/** Where a body lies: in its row, or apart under that number. */
export interface Placed {
  readonly body: string;
  readonly apart: number | null;
}

/** Puts bodies and drops them, in the caller's transaction. */
export interface RowBodies {
  /** `before`: the bytes that the row has for its body as it is; undefined: the row is new. */
  put(text: string, before: number | undefined): Placed;
  drop(apart: number | null): void;
}

/** Opens the table of bodies. */
export function createRowBodies(db: DatabaseSync): RowBodies {
  const insert = db.prepare('INSERT INTO body (text) VALUES (?)');
  const remove = db.prepare('DELETE FROM body WHERE id = ?');
  return {
    put(text, before = LONGEST_FIRST) {
      const room = Math.max(before, LONGEST_IN_ROW);
      // No text has fewer bytes than characters.
      if (text.length <= room && Buffer.byteLength(text) <= room) return { body: text, apart: null };
      return { body: '', apart: Number(insert.run(text).lastInsertRowid) };
    },
    drop(apart) {
      if (apart !== null) remove.run(apart);
    },
  };
}
