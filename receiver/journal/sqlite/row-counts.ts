import type { DatabaseSync } from 'node:sqlite';

/** How many rows there are by kind, owner and status: differences gather in memory and are written with their transaction. */
export interface RowCounts {
  add(kind: number, owner: number, status: number, difference: 1 | -1): void;
  /** Inside the caller's transaction. */
  write(): void;
  rolledBack(): void;
}

interface Difference {
  readonly kind: number;
  readonly owner: number;
  readonly status: number;
  by: number;
}

/** Opens the counts. */
export function createRowCounts(db: DatabaseSync): RowCounts {
  const upsert = db.prepare(
    'INSERT INTO row_count VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
  );
  const dropEmpty = db.prepare(
    'DELETE FROM row_count WHERE kind = ? AND owner = ? AND status = ? AND count = 0',
  );
  const differences = new Map<string, Difference>();
  return {
    add(kind, owner, status, difference) {
      const name = `${kind}/${owner}/${status}`;
      const known = differences.get(name);
      if (known === undefined) differences.set(name, { kind, owner, status, by: difference });
      else known.by += difference;
    },
    write() {
      if (differences.size === 0) return;
      for (const { kind, owner, status, by } of differences.values()) {
        if (by === 0) continue;
        upsert.run(kind, owner, status, by);
        if (by < 0) dropEmpty.run(kind, owner, status);
      }
      differences.clear();
    },
    rolledBack() {
      differences.clear();
    },
  };
}
