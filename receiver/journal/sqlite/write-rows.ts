import type { DatabaseSync } from 'node:sqlite';
import type { BatchReader } from './batch-reader.ts';
import { type DuePlace, placeDue } from './due-rows.ts';
import type { Names } from './names.ts';
import { createRowBodies } from './row-body.ts';
import type { RowCounts } from './row-counts.ts';
import { createRowUpdate, type Indexed } from './row-update.ts';
import { ROW } from './wire.ts';

/** How many rows one step of `expire` drops. */
const EXPIRED = 256;

interface Stored extends Indexed, DuePlace {
  readonly id: number;
  readonly version: number;
  readonly status: number;
  readonly apart: number | null;
  /** The bytes of the body that lies in the row. */
  readonly room: number;
}

/** A change that was judged and is to be made. */
interface Change extends Indexed {
  readonly earlier: Stored | undefined;
  readonly kind: number;
  readonly key: string;
  readonly remove: boolean;
  readonly at: number;
  readonly status: number;
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
  const bodies = createRowBodies(db);
  const select = db.prepare(
    'SELECT id, version, owner, status, due, later, expires, apart, octet_length(body) AS room FROM row WHERE kind = ? AND key = ?',
  );
  const insert = db.prepare('INSERT INTO row VALUES (NULL, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, NULL)');
  const update = createRowUpdate(db);
  const remove = db.prepare('DELETE FROM row WHERE id = ?');
  const expired = db.prepare(
    `SELECT id, kind, owner, status, apart FROM row WHERE expires <= ? ORDER BY expires LIMIT ${EXPIRED}`,
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

  function make(change: Change): void {
    const { earlier, kind, key, at, owner, status, due, expires } = change;
    if (earlier !== undefined) {
      counts.add(kind, earlier.owner, earlier.status, -1);
      bodies.drop(earlier.apart);
    }
    if (change.remove) {
      if (earlier !== undefined) remove.run(earlier.id);
      return;
    }
    counts.add(kind, owner, status, 1);
    const { body, apart } = bodies.put(change.body, earlier?.room);
    if (earlier === undefined) insert.run(kind, key, owner, status, due, expires, at, at, body, apart);
    else {
      const { later, ...place } = placeDue(earlier, due, at);
      const always = { version: earlier.version + 1, status, changed: at, body, apart, later };
      update(earlier.id, earlier, { owner, expires, ...place }, always);
    }
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
      const rows = expired.all(now) as unknown as (Stored & { kind: number })[];
      for (const { id, kind, owner, status, apart } of rows) {
        remove.run(id);
        bodies.drop(apart);
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
