import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** Rows that one statement inserts; the last takes them one by one. */
const GROUPS = [32, 8, 2, 1] as const;

/**
 * Gathers a transaction's rows of one table and inserts many with one statement: beginning and ending a statement costs
 * more than a row does. What it holds is in the table after `write` only.
 */
export interface RowInserter {
  /** Adds a row. Bytes must stay as they are until `write`. */
  add(...values: SQLInputValue[]): void;
  /** Inside the caller's transaction, before it ends. */
  write(): void;
  /** The transaction was rolled back: what was gathered goes. */
  rolledBack(): void;
}

/**
 * Makes an inserter; `row` is one row of VALUES, with a `?` for each value that `add` gets, and `statement` makes the whole
 * of them.
 */
export function createRowInserter(
  db: DatabaseSync,
  row: string,
  statement: (values: string) => string,
): RowInserter {
  const columns = row.split('?').length - 1;
  const statements = GROUPS.map((rows): readonly [number, StatementSync] => [
    rows * columns,
    db.prepare(statement(`VALUES ${Array.from({ length: rows }, () => row).join(', ')}`)),
  ]);
  const most = GROUPS[0] * columns;
  let values: SQLInputValue[] = [];

  function write(): void {
    let at = 0;
    for (const [size, insert] of statements) {
      for (; values.length - at >= size; at += size) {
        insert.run(...(size === values.length ? values : values.slice(at, at + size)));
      }
    }
    values = [];
  }

  return {
    add(...more) {
      values.push(...more);
      if (values.length === most) write();
    },
    write() {
      if (values.length > 0) write();
    },
    rolledBack() {
      values = [];
    },
  };
}
