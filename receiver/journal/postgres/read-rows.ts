import type { Page, RowCount, RowQuery, StateRow } from '../journal.ts';
import { byteas } from './binary-array.ts';
import { startOf } from './lists.ts';
import type { Queries } from './queries.ts';
import { tallyKind } from './write-rows.ts';

const LARGEST_PAGE = 1000;
/** A page ends with the row that brings its bodies to this. */
const LARGEST_PAGE_BYTES = 16 << 20;

const COLUMNS = 'r.id, r.key, r.version, r.owner, r.status, r.due, r.expires, r.created, r.changed, r.body';
const BY_ID = {
  name: 'rows-by-id',
  text: `SELECT ${COLUMNS} FROM unnest($2::bytea[]) AS t(key) JOIN state_row r ON r.kind = $1 AND r.key = t.key`,
};
const DUE = {
  name: 'rows-due',
  text: `SELECT ${COLUMNS} FROM state_row r WHERE kind = $1 AND due <= $2 ORDER BY due, id LIMIT $3`,
};
const NEXT = {
  name: 'rows-next-due',
  text: 'SELECT due FROM state_row WHERE kind = $1 AND due IS NOT NULL ORDER BY due LIMIT 1',
};
const COUNT = {
  name: 'rows-count',
  text: `SELECT owner, status, sum(n)::int8 AS count FROM tally WHERE kind = $1 GROUP BY owner, status HAVING sum(n) <> 0`,
};

interface Stored {
  readonly id: string;
  readonly key: Buffer;
  readonly version: string;
  readonly owner: string;
  readonly status: string;
  readonly due: number | null;
  readonly expires: number | null;
  readonly created: number;
  readonly changed: number;
  readonly body: string;
}

/** Reads rows that units have written. */
export interface RowReader {
  rows(kind: string, ids: readonly string[]): Promise<readonly (StateRow | undefined)[]>;
  dueRows(kind: string, now: number, limit: number): Promise<readonly StateRow[]>;
  nextRowDue(kind: string): Promise<number | undefined>;
  listRows(query: RowQuery): Promise<Page<StateRow>>;
  countRows(kind: string): Promise<readonly RowCount[]>;
}

/** Makes it. */
export function createRowReader(on: Queries): RowReader {
  return {
    async rows(kind, ids) {
      const { rows } = await on.query({ ...BY_ID, values: [kind, byteas(ids.map((id) => Buffer.from(id)))] });
      const found = new Map((rows as Stored[]).map((row) => [row.key.toString('utf8'), shown(kind, row)]));
      return ids.map((id) => found.get(id));
    },
    async dueRows(kind, now, limit) {
      const { rows } = await on.query({ ...DUE, values: [kind, now, limit] });
      return (rows as Stored[]).map((row) => shown(kind, row));
    },
    async nextRowDue(kind) {
      const { rows } = await on.query({ ...NEXT, values: [kind] });
      return (rows[0] as { due: number } | undefined)?.due;
    },
    async listRows({ kind, owner, status, limit: wanted, cursor }) {
      const limit = Math.min(Math.max(1, wanted), LARGEST_PAGE);
      const narrowed = [
        ...(owner === undefined ? [] : ['owner']),
        ...(status === undefined ? [] : ['status']),
      ];
      const { rows } = await on.query({
        name: `rows-list-${narrowed.join('-')}`,
        text: `WITH step AS (
            SELECT id, octet_length(body) AS bytes FROM state_row WHERE kind = $1 AND id < $2
              ${narrowed.map((column, i) => `AND ${column} = $${i + 4}`).join(' ')} ORDER BY id DESC LIMIT $3
          ), fit AS (
            SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id DESC) - bytes AS before FROM step) each
            WHERE before < ${LARGEST_PAGE_BYTES}
          ) SELECT ${COLUMNS}, (SELECT count(*) FROM step)::int AS step FROM fit f
            JOIN state_row r ON r.kind = $1 AND r.id = f.id ORDER BY r.id DESC`,
        values: [
          kind,
          startOf(cursor),
          limit,
          ...(owner === undefined ? [] : [owner]),
          ...(status === undefined ? [] : [status]),
        ],
      });
      const found = rows as (Stored & { step: number })[];
      const items = found.map((row) => shown(kind, row));
      const last = found.at(-1);
      const more = last !== undefined && (found.length === limit || last.step > found.length);
      return more ? { items, next: last.id } : { items };
    },
    async countRows(kind) {
      const { rows } = await on.query({ ...COUNT, values: [tallyKind(kind)] });
      return (rows as { owner: string; status: string; count: string }[]).map((row) => ({
        ...row,
        count: Number(row.count),
      }));
    },
  };
}

function shown(kind: string, { key, due, expires, ...row }: Stored): StateRow {
  return {
    kind,
    id: key.toString('utf8'),
    version: Number(row.version),
    owner: row.owner,
    status: row.status,
    body: row.body,
    ...(due === null ? {} : { due }),
    ...(expires === null ? {} : { expiresAt: expires }),
    createdAt: row.created,
    changedAt: row.changed,
  };
}
