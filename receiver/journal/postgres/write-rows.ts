import type { RowWrite, Unit } from '../journal.ts';
import { byteas, float8s, int4s, int8s, texts } from './binary-array.ts';
import { type KnownRow, type RowAfter, rowName } from './judge.ts';
import { type Queries, send } from './queries.ts';
import type { Tally } from './tally.ts';
import { DecideAgain } from './transaction.ts';

/** Takes the place of a row that is not there: another session that would make it waits for this transaction. */
const RESERVE = {
  name: 'row-reserve',
  text: `INSERT INTO state_row (kind, key, id, version, owner, status, created, changed, body)
    SELECT kind, key, 0, 0, '', '', 0, 0, '' FROM unnest($1::text[], $2::bytea[]) AS t(kind, key) ON CONFLICT DO NOTHING`,
};
const FIND = {
  name: 'row-find',
  text: `SELECT r.kind, r.key, r.version, r.owner, r.status, r.created FROM unnest($1::text[], $2::bytea[]) AS t(kind, key)
    JOIN state_row r ON r.kind = t.kind AND r.key = t.key ORDER BY r.kind, r.key FOR UPDATE OF r`,
};
const CHANGE = {
  name: 'row-change',
  text: `WITH t AS MATERIALIZED (
      SELECT *, CASE WHEN made = 1 THEN nextval('state_row_id') END AS id
      FROM unnest($1::text[], $2::bytea[], $3::int8[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::float8[],
        $9::float8[], $10::text[], $11::int4[])
        AS t(kind, key, version, owner, status, due, expires, created, changed, body, made)
    ) UPDATE state_row r SET id = coalesce(t.id, r.id), version = t.version, owner = t.owner, status = t.status, due = t.due,
      expires = t.expires, created = t.created, changed = t.changed, body = t.body
    FROM t WHERE r.kind = t.kind AND r.key = t.key`,
};
const REMOVE = {
  name: 'row-remove',
  text: `DELETE FROM state_row r USING unnest($1::text[], $2::bytea[]) AS t(kind, key)
    WHERE r.kind = t.kind AND r.key = t.key`,
};

/** Rows that a batch asks about, as the database holds them; those of `reserved` are not there, but their place is taken. */
export interface RowsFound {
  readonly stored: ReadonlyMap<string, KnownRow>;
  readonly reserved: ReadonlyMap<string, Named>;
}

interface Named {
  readonly kind: string;
  readonly id: string;
}

/** Reads and locks the rows that the units touch, in one order, so that two sessions never wait for each other for long. */
export async function findRows(on: Queries, units: readonly Unit[]): Promise<RowsFound> {
  const touched = new Map<string, RowWrite>();
  const absent = new Map<string, RowWrite>();
  for (const { rows = [] } of units) {
    for (const write of rows) {
      const name = rowName(write);
      if (!touched.has(name)) touched.set(name, write);
      if (write.expect === 0 && !absent.has(name)) absent.set(name, write);
    }
  }
  const stored = new Map<string, KnownRow>();
  const reserved = new Map<string, Named>();
  if (touched.size === 0) return { stored, reserved };
  if (absent.size > 0) send(on, { ...RESERVE, values: names(sorted(absent)) });
  const { rows } = await on.query({ ...FIND, values: names(sorted(touched)) });
  for (const { kind, key, version, owner, status, created } of rows as Stored[]) {
    const row = { kind, id: key.toString('utf8') };
    if (version === '0') reserved.set(rowName(row), row);
    else stored.set(rowName(row), { version: Number(version), owner, status, created });
  }
  for (const name of absent.keys()) {
    // It was there when its place was asked for, and has gone before it was read.
    if (!stored.has(name) && !reserved.has(name)) throw new DecideAgain();
  }
  return { stored, reserved };
}

interface Stored {
  readonly kind: string;
  readonly key: Buffer;
  readonly version: string;
  readonly owner: string;
  readonly status: string;
  readonly created: number;
}

/** Writes what the batch has made of the rows, and gives back the places that nobody needs. */
export function writeRows(
  on: Queries,
  { stored, reserved }: RowsFound,
  after: ReadonlyMap<string, RowAfter | undefined>,
  tally: Tally,
): void {
  const changed: RowAfter[] = [];
  const gone = new Map<string, Named>(reserved);
  for (const [name, row] of after) {
    const earlier = stored.get(name);
    if (earlier !== undefined) tally.add(tallyKind(kindOf(name)), earlier.owner, earlier.status, -1);
    if (row === undefined) {
      if (earlier !== undefined)
        gone.set(name, { kind: kindOf(name), id: name.slice(kindOf(name).length + 1) });
      continue;
    }
    gone.delete(name);
    changed.push(row);
    tally.add(tallyKind(row.write.kind), row.write.owner, row.write.status, 1);
  }
  if (gone.size > 0) send(on, { ...REMOVE, values: names([...gone.values()]) });
  if (changed.length === 0) return;
  const writes = changed.map(({ write }) => write);
  send(on, {
    ...CHANGE,
    values: [
      ...names(writes),
      int8s(changed.map(({ version }) => version)),
      texts(writes.map(({ owner }) => owner)),
      texts(writes.map(({ status }) => status)),
      float8s(writes.map(({ due }) => due)),
      float8s(writes.map(({ expiresAt }) => expiresAt)),
      float8s(changed.map(({ created }) => created)),
      float8s(writes.map(({ at }) => at)),
      texts(writes.map(({ body }) => body)),
      int4s(changed.map(({ made }) => (made ? 1 : 0))),
    ],
  });
}

/** Under which kind the rows of a kind are counted. */
export function tallyKind(kind: string): string {
  return `row:${kind}`;
}

/** A kind is one line: the name's first. */
function kindOf(name: string): string {
  return name.slice(0, name.indexOf('\n'));
}

function sorted(rows: ReadonlyMap<string, Named>): readonly Named[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function names(rows: readonly Named[]): Buffer[] {
  return [texts(rows.map(({ kind }) => kind)), byteas(rows.map(({ id }) => Buffer.from(id)))];
}
