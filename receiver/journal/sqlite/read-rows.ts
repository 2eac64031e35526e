import type { DatabaseSync } from 'node:sqlite';
import type { RowCount, RowQuery, StateRow } from '../journal.ts';
import { DUE } from './due-rows.ts';
import type { Step } from './lists.ts';
import type { Names } from './names.ts';
import { BODY } from './row-body.ts';

/** How many rows one step of a list looks at, and how much of their bodies it takes. */
const STEP = 5000;
const STEP_BYTES = 4 * 1024 * 1024;

interface Stored {
  readonly id: number;
  readonly key: string;
  readonly version: number;
  readonly owner: number;
  readonly status: number;
  readonly due: number | null;
  readonly expires: number | null;
  readonly created: number;
  readonly changed: number;
  readonly body: string;
}

export interface RowReader {
  rows(kind: string, ids: readonly string[]): (StateRow | undefined)[];
  dueRows(kind: string, now: number, limit: number): StateRow[];
  nextRowDue(kind: string): number | undefined;
  /** A piece of a list, before the row with that number. */
  listRows(query: RowQuery, before: number): Step<StateRow>;
  countRows(kind: string): RowCount[];
}

const NOTHING: Step<StateRow> = { items: [], before: undefined };
const COLUMNS = `id, key, version, owner, status, ${DUE} AS due, expires, created, changed`;

/** Reads rows that units have written. */
export function createRowReader(db: DatabaseSync, names: Names): RowReader {
  const one = db.prepare(`SELECT ${COLUMNS}, ${BODY} AS body FROM row WHERE kind = ? AND key = ?`);
  const due = db.prepare(
    `SELECT ${COLUMNS}, ${BODY} AS body FROM row
      WHERE kind = ?1 AND row.due <= ?2 AND (later IS NULL OR later BETWEEN 1 AND ?2) ORDER BY row.due, id LIMIT ?3`,
  );
  const next = db.prepare('SELECT due FROM row WHERE kind = ? AND due IS NOT NULL ORDER BY due LIMIT 1');
  const counted = db.prepare('SELECT owner, status, count FROM row_count WHERE kind = ?');
  const some = db.prepare(
    'SELECT 1 FROM row_count WHERE kind = ?1 AND (?2 = 0 OR owner = ?2) AND (?3 = 0 OR status = ?3) LIMIT 1',
  );
  /**
   * A list walks the rows of one kind or of one owner. The status is looked at row by row, which are small: an index of it
   * would cost every change a page, and half of the time a cold one.
   */
  const walk = (index: string, where: string) => ({
    span: db.prepare(`SELECT min(id) AS low, count(*) AS count FROM (
      SELECT id FROM row INDEXED BY ${index} WHERE ${where} AND id < ?2 ORDER BY id DESC LIMIT ${STEP})`),
    rows: db.prepare(`SELECT ${COLUMNS}, ${BODY} AS body FROM row INDEXED BY ${index}
      WHERE ${where} AND id < ?2 AND id >= ?5 AND (?4 = 0 OR status = ?4) ORDER BY id DESC`),
  });
  const ofKind = walk('row_kind', 'kind = ?1 AND ?3 = 0');
  const ofOwner = walk('row_owner', 'kind = ?1 AND owner = ?3');

  function shown(kind: string, { key, due: at, expires, ...stored }: Stored): StateRow {
    return {
      kind,
      id: key,
      version: stored.version,
      owner: names.text(stored.owner),
      status: names.text(stored.status),
      body: stored.body,
      ...(at === null ? {} : { due: at }),
      ...(expires === null ? {} : { expiresAt: expires }),
      createdAt: stored.created,
      changedAt: stored.changed,
    };
  }

  return {
    rows(kind, ids) {
      const number = names.idOf(kind);
      return ids.map((id) => {
        const stored = one.get(number, id) as unknown as Stored | undefined;
        return stored === undefined ? undefined : shown(kind, stored);
      });
    },
    dueRows(kind, now, limit) {
      const found = due.all(names.idOf(kind), now, limit) as unknown as Stored[];
      return found.map((stored) => shown(kind, stored));
    },
    nextRowDue: (kind) => (next.get(names.idOf(kind)) as { due: number } | undefined)?.due,
    listRows({ kind, owner, status, limit }, before) {
      const ownerId = owner === undefined ? 0 : names.idOf(owner);
      const statusId = status === undefined ? 0 : names.idOf(status);
      // A name that no row has fits none.
      if ((owner !== undefined && ownerId === 0) || (status !== undefined && statusId === 0)) return NOTHING;
      const kindId = names.idOf(kind);
      if (some.get(kindId, ownerId, statusId) === undefined) return NOTHING;
      const { span, rows } = ownerId === 0 ? ofKind : ofOwner;
      const { low, count } = span.get(kindId, before, ownerId) as { low: number | null; count: number };
      const items: StateRow[] = [];
      let bytes = 0;
      for (const each of rows.iterate(kindId, before, ownerId, statusId, low)) {
        const stored = each as unknown as Stored;
        items.push(shown(kind, stored));
        bytes += stored.body.length;
        if (items.length === limit || bytes >= STEP_BYTES) return { items, before: stored.id };
      }
      return { items, before: count < STEP ? undefined : (low ?? undefined) };
    },
    countRows(kind) {
      const found = counted.all(names.idOf(kind)) as { owner: number; status: number; count: number }[];
      return found.map((each) => ({
        owner: names.text(each.owner),
        status: names.text(each.status),
        count: each.count,
      }));
    },
  };
}
