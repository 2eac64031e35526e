import type { DatabaseSync } from 'node:sqlite';
import type { BatchReader } from './batch-reader.ts';
import type { Names } from './names.ts';
import type { RowCounts } from './row-counts.ts';
import { ROW } from './wire.ts';

/** How many rows one step of `expire` drops. */
const EXPIRED = 256;

interface Stored {
  readonly id: number;
  readonly version: number;
  readonly owner: number;
  readonly status: number;
}

/** A change that was judged and is to be made. */
interface Change {
  readonly earlier: Stored | undefined;
  readonly kind: number;
  readonly key: string;
  readonly remove: boolean;
  readonly at: number;
  readonly owner: number;
  readonly status: number;
  readonly due: number | null;
  readonly expires: number | null;
  readonly body: string;
}

export interface RowWriter {
  /**
   * Reads a unit's rows from where the reader stands. Answers which is the first that is not at the version that is
   * expected, or -1: then `write` makes the changes.
   */
  judge(reader: BatchReader): number;
  write(): void;
  /** One step of dropping what has expired; false: nothing is left. */
  expire(now: number): boolean;
}

/** Changes rows, in the caller's transaction. */
export function createRowWriter(
  db: DatabaseSync,
  { names, counts }: { names: Names; counts: RowCounts },
): RowWriter {
  const select = db.prepare('SELECT id, version, owner, status FROM row WHERE kind = ? AND key = ?');
  const insert = db.prepare('INSERT INTO row VALUES (NULL, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)');
  const update = db.prepare(
    'UPDATE row SET version = ?, owner = ?, status = ?, due = ?, expires = ?, changed = ?, body = ? WHERE id = ?',
  );
  const remove = db.prepare('DELETE FROM row WHERE id = ?');
  const expired = db.prepare(
    `SELECT id, kind, owner, status FROM row WHERE expires <= ? ORDER BY expires LIMIT ${EXPIRED}`,
  );
  let changes: Change[] = [];

  /** Reads one row's write; answers whether its expectation holds. */
  function judgeOne(reader: BatchReader): boolean {
    const kind = names.id(reader.u32());
    const key = reader.text(reader.u32());
    const expect = reader.f64();
    const what = reader.u8();
    const writes = what === ROW.write;
    const at = writes ? reader.f64() : 0;
    const owner = writes ? reader.u32() : 0;
    const status = writes ? reader.u32() : 0;
    const due = writes ? timeOf(reader.f64()) : null;
    const expires = writes ? timeOf(reader.f64()) : null;
    const body = writes ? reader.text(reader.u32()) : '';
    const earlier = select.get(kind, key) as Stored | undefined;
    if ((earlier?.version ?? 0) !== expect) return false;
    if (what === ROW.check) return true;
    const change = { earlier, kind, key, remove: !writes, at, due, expires, body };
    changes.push({
      ...change,
      owner: writes ? names.id(owner) : 0,
      status: writes ? names.id(status) : 0,
    });
    return true;
  }

  function make({ earlier, kind, key, at, owner, status, due, expires, body, ...change }: Change): void {
    if (earlier !== undefined) counts.add(kind, earlier.owner, earlier.status, -1);
    if (change.remove) {
      if (earlier !== undefined) remove.run(earlier.id);
      return;
    }
    counts.add(kind, owner, status, 1);
    if (earlier === undefined) insert.run(kind, key, owner, status, due, expires, at, at, body);
    else update.run(earlier.version + 1, owner, status, due, expires, at, body, earlier.id);
  }

  return {
    judge(reader) {
      changes = [];
      const count = reader.u32();
      for (let i = 0; i < count; i++) if (!judgeOne(reader)) return i;
      return -1;
    },
    write() {
      for (const change of changes) make(change);
    },
    expire(now) {
      const rows = expired.all(now) as { id: number; kind: number; owner: number; status: number }[];
      for (const { id, kind, owner, status } of rows) {
        remove.run(id);
        counts.add(kind, owner, status, -1);
      }
      return rows.length === EXPIRED;
    },
  };
}

/** On the wire a time that is left out is no number. */
function timeOf(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
