import type pg from 'pg';
import { byteas, float8s, int8s, texts } from '../binary-array.ts';
import type { SourceRow } from './sqlite-source.ts';

/** Writes those of the rows that are not there as they are, and notes all of them in the table `kept`; how many it wrote. */
export async function putRows(client: pg.Client, rows: readonly SourceRow[]): Promise<number> {
  const { rowCount } = await client.query({
    name: 'copy-rows',
    text: `WITH t AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::bytea[], $3::int8[], $4::int8[], $5::text[], $6::text[],
        $7::float8[], $8::float8[], $9::float8[], $10::float8[], $11::text[])
        AS t(kind, key, id, version, owner, status, due, expires, created, changed, body)
      ), kept AS (INSERT INTO kept SELECT kind, key FROM t)
      INSERT INTO state_row SELECT * FROM t ON CONFLICT (kind, key) DO UPDATE SET id = excluded.id,
        version = excluded.version, owner = excluded.owner, status = excluded.status, due = excluded.due,
        expires = excluded.expires, created = excluded.created, changed = excluded.changed, body = excluded.body
      WHERE (state_row.id, state_row.version, state_row.body) IS DISTINCT FROM (excluded.id, excluded.version, excluded.body)`,
    values: [
      texts(rows.map(({ kind }) => kind)),
      byteas(rows.map(({ id }) => Buffer.from(id))),
      int8s(rows.map((row) => row.number)),
      int8s(rows.map(({ version }) => version)),
      texts(rows.map(({ owner }) => owner)),
      texts(rows.map(({ status }) => status)),
      float8s(rows.map(({ due }) => due)),
      float8s(rows.map(({ expires }) => expires)),
      float8s(rows.map(({ created }) => created)),
      float8s(rows.map(({ changed }) => changed)),
      texts(rows.map(({ body }) => body)),
    ],
  });
  return rowCount ?? 0;
}
