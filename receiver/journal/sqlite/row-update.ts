import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The columns of a row that indexes go by and that may change. */
export interface Indexed {
  readonly owner: number;
  readonly due: number | null;
  readonly expires: number | null;
}

/** What every change of a row writes. */
export interface Always {
  readonly later: number | null;
  readonly version: number;
  readonly status: number;
  readonly changed: number;
  readonly body: string;
  readonly apart: number | null;
}

/** Changes a row that is there. */
export type UpdateRow = (id: number, before: Indexed, after: Indexed, always: Always) => void;

const COLUMNS = ['owner', 'due', 'expires'] as const;

/**
 * Makes it. SQLite moves the entry of each index whose column a statement names, also where the value stays; among a
 * million rows the entry's page is a cold one. So a statement names only what changes.
 */
export function createRowUpdate(db: DatabaseSync): UpdateRow {
  const statements = new Map<number, StatementSync>();

  function statement(moved: number): StatementSync {
    const known = statements.get(moved);
    if (known !== undefined) return known;
    const named = COLUMNS.flatMap((column, i) => ((moved & (1 << i)) === 0 ? [] : `${column} = ?${i + 1},`));
    const made = db.prepare(`UPDATE row SET ${named.join(' ')}
      version = ?4, status = ?5, changed = ?6, body = ?7, apart = ?8, later = ?9 WHERE id = ?10`);
    statements.set(moved, made);
    return made;
  }

  return (id, before, after, { version, status, changed, body, apart, later }) => {
    let moved = 0;
    for (const [i, column] of COLUMNS.entries()) if (before[column] !== after[column]) moved |= 1 << i;
    const { owner, due, expires } = after;
    statement(moved).run(owner, due, expires, version, status, changed, body, apart, later, id);
  };
}
