/**
 * Which keys were accepted, and what they were answered. Keys are random, and a B-tree of millions of random keys costs a
 * page write each; so a key is written in order of arrival (`seen`), found through a table in memory while it is among
 * the newest of its window class, and later through sorted runs (`run`, `chunk`) of which memory has fingerprints. A
 * run and its rows go as a whole when the last of its windows has passed.
 */
import type { DatabaseSync } from 'node:sqlite';
import { createKeyTable, type KeyTable } from './key-table.ts';
import {
  CLASS_ROWS,
  CLASSES,
  createSeenRow,
  eachEntry,
  readEntry,
  readKey,
  type SeenEntry,
  windowClass,
} from './seen-log.ts';
import { createSeenRuns, RUN_PARTS, type Run } from './seen-runs.ts';

/** So many keys in memory make a run: some 5 bytes each there, about 50 here. */
export const RUN_KEYS = 65_536;

interface WindowClass {
  readonly number: number;
  readonly table: KeyTable;
  readonly row: ReturnType<typeof createSeenRow>;
  /** The row that is being made, and how many keys were in the table when it was begun. */
  rowId: number;
  committed: number;
  /** The first row that is in no run. */
  firstRow: number;
}

export interface SeenIndex {
  /** The valid entry of the key at `at`, of this transaction or an older one. */
  find(from: Uint8Array, at: number, now: number): SeenEntry | undefined;
  /** Takes the key (and fingerprint and expiry) at `at`; `find` sees it at once, the log has it after `write`. */
  add(from: Uint8Array, at: number, entry: { expires: number; now: number; answer: Uint8Array }): void;
  /** Writes what was added to the log, inside the caller's transaction. */
  write(): void;
  /** The transaction is durable; or it was rolled back and what was added since goes. */
  committed(): void;
  rolledBack(): void;
  /** Whether a table has become large enough to be a run, and is not one yet. */
  readonly ripe: boolean;
  /**
   * One step of making a run of a table that is large or has expired, in the caller's transaction, which adds nothing;
   * false: there is none.
   */
  seal(now: number): boolean;
  /** Drops some of what has expired, in the caller's transaction; false: nothing has. */
  expire(now: number): boolean;
  readonly keys: number;
}

/** A table on its way to be a run: nothing is added to it, and a new one of its class has taken its place. */
interface Sealing {
  readonly table: KeyTable;
  readonly run: Run;
  /** The next part to be written. */
  part: number;
}

/** Opens the index over its tables. */
export function openSeenIndex(db: DatabaseSync, runKeys: number = RUN_KEYS): SeenIndex {
  const runs = createSeenRuns(db, runKeys);
  const insert = db.prepare('INSERT INTO seen (id, body) VALUES (?, ?)');
  const select = db.prepare('SELECT body FROM seen WHERE id = ?');
  const classes = new Map<number, WindowClass>();
  const key = new Uint32Array(4);
  /** What becomes true in memory once the transaction is durable. */
  const pending: (() => void)[] = [];
  let sealing: Sealing | undefined;
  /** Of the last run: this thread hardly makes an object, so that tables thrown away would lie about for long. */
  let spare: KeyTable | undefined;
  for (let number = 0; number < CLASSES; number++) load(number);

  function load(number: number): void {
    const firstRow = runs.lastRow(number) + 1;
    const rows = db.prepare('SELECT id, body FROM seen WHERE id >= ? AND id < ? ORDER BY id');
    let found: WindowClass | undefined;
    for (const row of rows.iterate(firstRow, (number + 1) * CLASS_ROWS)) {
      const { id, body } = row as { id: number; body: Uint8Array };
      found ??= begin(number, firstRow);
      const { table } = found;
      eachEntry(body, (k, offset, expires) => table.add(k, id, offset, expires));
      found.rowId = id + 1;
    }
    if (found !== undefined) found.committed = found.table.count;
  }

  function begin(number: number, firstRow: number): WindowClass {
    const table = spare ?? createKeyTable();
    spare = undefined;
    const fresh = {
      number,
      table,
      row: createSeenRow(),
      rowId: firstRow,
      committed: 0,
      firstRow,
    };
    classes.set(number, fresh);
    return fresh;
  }

  /** The table that is to be a run next. */
  function planned(now: number): Sealing | undefined {
    for (const each of classes.values()) {
      if (!ripe(each, now, runKeys)) continue;
      const { number, table, firstRow, rowId } = each;
      const plan = { table, run: runs.plan(number, firstRow, rowId - 1, table), part: 0 };
      pending.push(() => {
        sealing = plan;
        begin(number, rowId);
      });
      return plan;
    }
    return undefined;
  }

  function entry(row: number, offset: number): SeenEntry | undefined {
    const stored = select.get(row) as { body: Uint8Array } | undefined;
    return stored === undefined ? undefined : readEntry(stored.body, offset);
  }

  return {
    find(from, at, now) {
      readKey(from, at, key);
      for (const each of classes.values()) {
        const i = each.table.find(key, now);
        if (i < 0) continue;
        const row = each.table.rows[i] ?? 0;
        const offset = each.table.offsets[i] ?? 0;
        return row === each.rowId ? readEntry(each.row.bytes(), offset) : entry(row, offset);
      }
      const i = sealing?.table.find(key, now) ?? -1;
      if (sealing !== undefined && i >= 0)
        return entry(sealing.table.rows[i] ?? 0, sealing.table.offsets[i] ?? 0);
      return runs.find(key, (row, offset) => {
        const found = entry(row, offset);
        return found !== undefined && found.expires > now ? found : undefined;
      });
    },
    add(from, at, { expires, now, answer }) {
      const number = windowClass(expires - now);
      const into = classes.get(number) ?? begin(number, runs.lastRow(number) + 1);
      readKey(from, at, key);
      into.table.add(key, into.rowId, into.row.add(from, at, answer), expires);
    },
    write() {
      for (const each of classes.values()) {
        if (each.row.size > 0) insert.run(each.rowId, each.row.bytes());
      }
    },
    committed() {
      for (const each of classes.values()) {
        if (each.row.size > 0) each.rowId++;
        each.row.cut(0);
        each.committed = each.table.count;
      }
      for (const apply of pending.splice(0)) apply();
    },
    rolledBack() {
      for (const each of classes.values()) {
        each.row.cut(0);
        each.table.truncate(each.committed);
      }
      pending.length = 0;
    },
    get ripe() {
      for (const each of classes.values()) if (each.committed >= runKeys) return true;
      return sealing !== undefined;
    },
    seal(now) {
      const current = sealing ?? planned(now);
      if (current === undefined) return false;
      const { run, table, part } = current;
      runs.write(run, table, part);
      pending.push(() => {
        current.part++;
        if (current.part < RUN_PARTS) return;
        runs.add(run, table);
        table.clear();
        spare = table;
        sealing = undefined;
      });
      return true;
    },
    expire(now) {
      const dropped = runs.expire(now);
      if (dropped !== undefined) pending.push(dropped);
      return dropped !== undefined;
    },
    get keys() {
      let count = runs.keys + (sealing?.table.count ?? 0);
      for (const each of classes.values()) count += each.table.count;
      return count;
    },
  };
}

/** A table becomes a run when it is large, or when all it holds has expired, so that it can be dropped. */
function ripe({ table, committed }: WindowClass, now: number, runKeys: number): boolean {
  if (committed === 0) return false;
  if (committed >= runKeys) return true;
  // The windows of a class differ by less than two: while the newest is valid, so may be others.
  for (let i = committed - 1; i >= 0; i--) if ((table.expires[i] ?? 0) > now) return false;
  return true;
}
