import type pg from 'pg';
import { float8s } from './binary-array.ts';
import { boundsOf, closePart, type Part as WritablePart } from './partitions.ts';
import type { Queries } from './queries.ts';
import { SEEN_PARTS, STATE } from './schema.ts';
import { ROW_BYTES } from './tally.ts';

/** How many rows one transaction takes away. */
const STEP = 500;
const KEYS_STEP = 2000;
/** A partition in which more is undone than this stays as it is: no transaction of ours is long. */
const MOST_KEPT = 10_000;
/** History is dropped from this part of the limit on. */
const TRIM_FROM = 0.95;
/** After this, the events that outlived their partition are looked at again. */
const WALK_AGAIN_MS = 3_600_000;

/** How many bytes the journal holds, as it counts them. */
export async function journalBytes(on: Queries): Promise<number> {
  const { rows } = await on.query({
    text: "SELECT coalesce(sum(n), 0)::float8 AS bytes FROM tally WHERE status = 'bytes'",
  });
  return (rows[0] as { bytes: number }).bytes;
}

/** How long events are kept, in milliseconds from acceptance; `dead`: from when their delivery became a dead letter. */
export interface Retention {
  /** All of whose deliveries were made. */
  readonly delivered: number;
  /** That no trigger took. */
  readonly unmatched: number;
  readonly dead: number;
}

/** Drops what has passed its time; how many events went. `session`: whose numbers are changed. */
export type Prune = (client: pg.PoolClient, session: string, now: number) => Promise<number>;

type Part = Pick<WritablePart, 'id' | 'opened' | 'until'>;

/** What an event is dropped with, row by row. */
interface Rows {
  readonly events: string;
  readonly ended: string;
  readonly part: string;
}

const KEPT: Rows = { events: 'event_kept', ended: 'ended', part: 'kept' };

/** Where a partition's ids were noted: those of the events that outlive it are noted with them. */
const keepIds = (part: number, range: string): string =>
  `INSERT INTO id_block_kept SELECT e.id, substring(b.hashes, (4 * (e.id - b.first))::int + 1, 4) FROM event_kept e
    JOIN LATERAL (SELECT * FROM id_block_${part} WHERE first <= e.id ORDER BY first DESC LIMIT 1) b ON true
    WHERE e.${range.replace('AND id', 'AND e.id')};
  DROP TABLE id_block_${part};`;

/** Makes the function. */
export function createPrune(retention: Retention, maxBytes: number): Prune {
  const longest = Math.max(retention.delivered, retention.unmatched);
  let walked = Number.NEGATIVE_INFINITY;

  return async (client, session, now) => {
    const { rows } = await client.query('SELECT id, opened, until FROM part ORDER BY id');
    let removed = 0;
    for (const part of rows as Part[]) {
      if (part.until + longest <= now) removed += await retire(client, session, part);
      else if (part.opened > now) removed += await byRows(client, session, now, ofPart(part.id));
    }
    if (now - walked > WALK_AGAIN_MS || now < walked) {
      walked = now;
      removed += await byRows(client, session, now, KEPT);
    }
    const parts = rows as Part[];
    // The newest stays: it is written to.
    for (const part of parts.slice(0, -1)) {
      if ((await journalBytes(client)) < maxBytes * TRIM_FROM) break;
      removed += await retire(client, session, part);
    }
    await expireKeys(client, session, now);
    await expireRows(client, session, now);
    await client.query(EMPTY_LINES);
    await dropShapes(client);
    return removed;
  };

  /**
   * Drops done events one by one: those that outlived their partition, and those of a partition that a clock running ahead
   * has opened, whose own time says nothing.
   */
  async function byRows(client: pg.PoolClient, session: string, now: number, from: Rows): Promise<number> {
    let removed = 0;
    for (let after = -1; ; ) {
      const { rows } = await client.query({
        text: `SELECT e.id, e.received, e.first, e.deliveries,
            EXISTS (SELECT FROM waiting w WHERE w.id >= e.first AND w.id < e.first + e.deliveries) AS undone,
            (SELECT max(at) FROM ended d WHERE d.id >= e.first AND d.id < e.first + e.deliveries
              AND d.state = ${STATE.dead}) AS died
          FROM ${from.events} e WHERE e.id > $1 ORDER BY e.id LIMIT ${STEP}`,
        values: [after],
      });
      const gone = (rows as StoredRow[]).filter((row) => !row.undone && expiry(row, retention) <= now);
      if (gone.length > 0) removed += await dropEvents(client, session, from, gone);
      if (rows.length < STEP) return removed;
      after = Number((rows as StoredRow[]).at(-1)?.id ?? 0);
    }
  }
}

interface StoredRow {
  readonly id: string;
  readonly received: number;
  readonly first: string;
  readonly deliveries: number;
  readonly undone: boolean;
  /** When the last of its dead letters died. */
  readonly died: number | null;
}

function expiry({ received, deliveries, died }: StoredRow, retention: Retention): number {
  if (died !== null) return Math.max(died + retention.dead, received + retention.delivered);
  return received + (deliveries === 0 ? retention.unmatched : retention.delivered);
}

function ofPart(part: number): Rows {
  return { events: `event_${part}`, ended: `done_${part}`, part: String(part) };
}

const COUNT = (n: string, kind: string, owner: string, status: string): string =>
  `INSERT INTO tally SELECT $1::int8, '${kind}', '${owner}', '${status}', ${n}
    ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n`;

async function dropEvents(
  client: pg.PoolClient,
  session: string,
  { events, ended, part }: Rows,
  rows: readonly StoredRow[],
): Promise<number> {
  const kept = ended === 'ended';
  const both = kept ? [ended] : [ended, 'ended'];
  const { rows: found } = await client.query({
    text: `WITH e AS (
        DELETE FROM ${events} WHERE id = ANY($2::int8[]) RETURNING first, deliveries,
          ${ROW_BYTES.event} + length(attributes) + length(record) + coalesce(length(data), 0)
            + deliveries * ${ROW_BYTES.delivery} AS bytes
      ), ${both
        .map(
          (table, i) => `d${i} AS (DELETE FROM ${table} d USING e
          WHERE d.id >= e.first AND d.id < e.first + e.deliveries RETURNING d.state)`,
        )
        .join(', ')}, ${kept ? 'ids AS (DELETE FROM id_block_kept WHERE first = ANY($2::int8[])),' : ''}
      dead AS (${both.map((_, i) => `SELECT FROM d${i} WHERE state = ${STATE.dead}`).join(' UNION ALL ')}),
      c1 AS (${COUNT('-(SELECT count(*) FROM dead)', 'delivery', '', 'dead')}),
      c2 AS (${COUNT('-(SELECT count(*) FROM e)', 'part', part, 'events')}),
      c3 AS (${COUNT('-coalesce((SELECT sum(bytes) FROM e), 0)', 'part', part, 'bytes')})
      SELECT count(*)::int AS n FROM e`,
    values: [session, rows.map(({ id }) => id)],
  });
  return (found[0] as { n: number }).n;
}

/**
 * Takes a partition away. What is undone or dead of it goes to the tables of what outlives its partition first. Two
 * transactions: after the first nobody writes to it, so that the second can take its time and needs the lock on all only
 * at its end.
 */
async function retire(client: pg.PoolClient, session: string, { id }: Part): Promise<number> {
  const { first, end } = boundsOf(id);
  const range = `id >= ${first} AND id < ${end}`;
  const needed = `SELECT event FROM waiting WHERE ${range}
    UNION SELECT event FROM ended WHERE ${range} AND state = ${STATE.dead}`;
  const { rows } = await client.query(
    `SELECT count(*)::int AS n FROM (${needed} LIMIT ${MOST_KEPT + 1}) found`,
  );
  if ((rows[0] as { n: number }).n > MOST_KEPT) return 0;
  const { rows: open } = await client.query(
    `SELECT closed, to_regclass('id_block_${id}') IS NOT NULL AS noted FROM part WHERE id = ${id}`,
  );
  if (open.length === 0) return 0;
  const { closed, noted } = open[0] as { closed: boolean; noted: boolean };
  return rolledBack(client, async () => {
    if (!closed) await closePart(client, id);
    const results = (await client.query(`BEGIN; SET LOCAL lock_timeout = 500;
      DELETE FROM part WHERE id = ${id};
      INSERT INTO event_kept SELECT * FROM event_${id} WHERE id IN (${needed});
      INSERT INTO ended SELECT d.* FROM event_kept e JOIN done_${id} d ON d.id >= e.first AND d.id < e.first + e.deliveries
        WHERE e.${range.replace('AND id', 'AND e.id')};
      DELETE FROM ended d WHERE ${range.replaceAll('id ', 'd.id ')}
        AND NOT EXISTS (SELECT FROM event_kept e WHERE e.id = d.event);
      WITH gone AS (DELETE FROM tally WHERE kind = 'part' AND owner = '${id}' RETURNING status, n),
        kept AS (SELECT count(*) AS events, coalesce(sum(${ROW_BYTES.event} + length(attributes) + length(record)
          + coalesce(length(data), 0) + deliveries * ${ROW_BYTES.delivery}), 0)::int8 AS bytes
          FROM event_kept WHERE ${range}),
        noted AS (INSERT INTO tally SELECT ${Number(session)}, 'part', 'kept', 'events', events FROM kept
          UNION ALL SELECT ${Number(session)}, 'part', 'kept', 'bytes', bytes FROM kept
          ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n)
        SELECT (coalesce((SELECT sum(n) FROM gone WHERE status = 'events'), 0)
          - (SELECT events FROM kept))::int8 AS removed;
      DELETE FROM shape_in WHERE part = ${id}; ${noted ? keepIds(id, range) : ''}
      DROP TABLE event_${id}, done_${id}; DROP SEQUENCE event_${id}_id, delivery_${id}_id; COMMIT`)) as unknown as pg.QueryResult[];
    // Somebody else did it meanwhile.
    if (results[2]?.rowCount === 0) return 0;
    return Number((results[6]?.rows[0] as { removed: string } | undefined)?.removed ?? 0);
  });
}

/** Another receiver may do the same at this moment, or somebody reads: next time. */
async function rolledBack(client: pg.PoolClient, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    await client.query('ROLLBACK');
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (['55P03', '40P01', '42P01', '42704', '42710'].includes(String(code))) return 0;
    throw error;
  }
}

/** Drops keys whose window has passed. */
async function expireKeys(client: pg.PoolClient, session: string, now: number): Promise<void> {
  for (let part = 0; part < SEEN_PARTS; part++) {
    for (let step = KEYS_STEP; step === KEYS_STEP; ) {
      const { rows } = await client.query({
        name: `keys-expire-${part}`,
        text: `WITH gone AS (
            DELETE FROM seen_${part} WHERE key IN (SELECT key FROM seen_${part} WHERE expires <= ($2::float8[])[1]
              ORDER BY expires LIMIT ${KEYS_STEP} FOR UPDATE SKIP LOCKED) RETURNING length(answer) AS length
          ), counted AS (${COUNT(`-(SELECT coalesce(sum(length + ${ROW_BYTES.key}), 0) FROM gone)`, 'key', '', 'bytes')})
          SELECT count(*)::int AS n FROM gone`,
        values: [session, float8s([now])],
      });
      step = (rows[0] as { n: number }).n;
    }
  }
}

const EXPIRE_ROWS = {
  name: 'rows-expire',
  text: `WITH gone AS (
      DELETE FROM state_row WHERE (kind, key) IN (SELECT kind, key FROM state_row WHERE expires <= $2
        ORDER BY expires LIMIT ${STEP} FOR UPDATE SKIP LOCKED) RETURNING kind, owner, status
    ), counted AS (INSERT INTO tally SELECT $1::int8, 'row:' || kind, owner, status, -count(*) FROM gone
      GROUP BY kind, owner, status ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n)
    SELECT count(*)::int AS n FROM gone`,
};
/** Lines that nothing waits in; one that somebody is changing is passed over. */
const EMPTY_LINES = `DELETE FROM line WHERE (trigger, line) IN (SELECT trigger, line FROM line l
  WHERE NOT EXISTS (SELECT FROM waiting w WHERE w.trigger = l.trigger AND w.line = l.line)
  LIMIT ${KEYS_STEP} FOR UPDATE SKIP LOCKED)`;

/** Drops rows that have expired. */
async function expireRows(client: pg.PoolClient, session: string, now: number): Promise<void> {
  for (let step = STEP; step === STEP; ) {
    const { rows } = await client.query({ ...EXPIRE_ROWS, values: [session, now] });
    step = (rows[0] as { n: number }).n;
  }
}

/** Drops Shapes that no session has put and no delivery refers to. */
async function dropShapes(client: pg.PoolClient): Promise<void> {
  await client.query(`DELETE FROM shape s WHERE NOT EXISTS (SELECT FROM shape_of o WHERE o.shape = s.name)
    AND NOT EXISTS (SELECT FROM shape_in i WHERE i.shape = s.name)
    AND NOT EXISTS (SELECT FROM waiting w WHERE w.shape = s.name)
    AND NOT EXISTS (SELECT FROM ended d WHERE d.shape = s.name)`);
}
