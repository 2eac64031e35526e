import type { DatabaseSync } from 'node:sqlite';
import type { Names } from './names.ts';

/** How many deliveries one step of the search for unused Shapes reads. */
const STEP = 5000;

export interface Shapes {
  put(hash: number, body: string): void;
  get(hash: string): string | undefined;
  /** A delivery of this session refers to it: it stays until the journal is opened again. */
  use(hash: number): void;
  /**
   * One step of dropping the Shapes that no delivery refers to, in the caller's transaction; false: nothing left to do.
   * What was put or used since the journal was opened stays.
   */
  collect(): boolean;
}

/** Opens the table of Shapes. */
export function openShapes(db: DatabaseSync, names: Names): Shapes {
  const insert = db.prepare('INSERT OR IGNORE INTO shape (name, body) VALUES (?, ?)');
  const select = db.prepare('SELECT body FROM shape WHERE name = ?');
  const remove = db.prepare('DELETE FROM shape WHERE name = ?');
  const used = new Set<number>();
  // First the waiting, then the done: a delivery that moves on meanwhile is met twice rather than never.
  const steps = ['waiting', 'done'].map((table) =>
    db.prepare(`SELECT max(id) AS last, group_concat(DISTINCT shape) AS shapes
      FROM (SELECT id, shape FROM ${table} WHERE id > ? ORDER BY id LIMIT ${STEP})`),
  );
  let table = 0;
  let after = 0;
  let found = new Set<number>();

  function candidates(): number[] {
    const rows = db.prepare('SELECT name FROM shape').all() as { name: number }[];
    return rows.map(({ name }) => name).filter((name) => !used.has(name) && !found.has(name));
  }

  function finish(): false {
    for (const name of candidates()) remove.run(name);
    table = 0;
    found = new Set();
    return false;
  }

  return {
    put(hash, body) {
      used.add(hash);
      insert.run(hash, body);
    },
    get: (hash) => (select.get(names.idOf(hash)) as { body: string } | undefined)?.body,
    use(hash) {
      used.add(hash);
    },
    collect() {
      if (table === 0 && after === 0 && candidates().length === 0) return false;
      const step = steps[table]?.get(after) as { last: number | null; shapes: string | null } | undefined;
      for (const id of step?.shapes?.split(',') ?? []) found.add(Number(id));
      after = step?.last ?? 0;
      if (after === 0) table++;
      return table < steps.length || finish();
    },
  };
}
