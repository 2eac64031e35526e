import type pg from 'pg';
import type { ClaimedDelivery } from '../journal.ts';
import { run } from './connection.ts';
import type { Lines } from './lines.ts';
import type { Names } from './names.ts';
import { STATE } from './schema.ts';
import { transaction } from './transaction.ts';

/**
 * Takes, for a session that lives, what is due and what nobody holds, in the order it is due; what another session is taking just now is passed over.
 * One always goes, however large it is: else it would never be delivered.
 */
const CLAIM = {
  name: 'claim',
  text: `WITH alive AS (SELECT FROM session WHERE id = $4::int8 FOR KEY SHARE), due AS (
      SELECT id, bytes, due FROM waiting WHERE state = ${STATE.waiting} AND holder = 0 AND due <= $1
        AND EXISTS (SELECT FROM alive) ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED
    ), fit AS (
      SELECT id FROM (SELECT id, sum(bytes) OVER w AS total, row_number() OVER w AS place
        FROM due WINDOW w AS (ORDER BY due, id)) each WHERE total <= $3 OR place = 1
    ), taken AS (
      UPDATE waiting w SET holder = $4 FROM fit WHERE w.id = fit.id
      RETURNING w.id, w.event, w.trigger, w.shape, w.attempts, w.received, w.due, w.task, w.line
    ) SELECT t.*, e.entrance, e.attributes, e.data FROM taken t
      JOIN LATERAL (SELECT * FROM every_event WHERE id = t.event) e ON true ORDER BY t.due, t.id`,
};
const NEXT = {
  name: 'next-due',
  text: `SELECT due FROM waiting WHERE state = ${STATE.waiting} AND holder = 0 ORDER BY due LIMIT 1`,
};
/** How many parked deliveries one step releases. */
const RELEASED = 1000;
const RELEASE = {
  name: 'release',
  text: `WITH released AS (UPDATE waiting SET due = $2, reason = NULL,
      state = CASE WHEN line IS NULL THEN ${STATE.waiting} ELSE ${STATE.behind} END
    WHERE id IN (SELECT id FROM waiting WHERE state = ${STATE.parked} AND trigger = $1 ORDER BY id LIMIT ${RELEASED} FOR UPDATE)
    RETURNING trigger, line
  ) SELECT count(*)::int AS count, array_agg(DISTINCT line) FILTER (WHERE line IS NOT NULL) AS lines FROM released`,
};

interface Row {
  readonly id: string;
  readonly event: string;
  readonly trigger: number;
  readonly shape: number;
  readonly attempts: number;
  readonly received: number;
  readonly entrance: number;
  readonly attributes: string;
  readonly data: Buffer | null;
  readonly task: string | null;
  readonly line: string | null;
}

/** What one claim may take. */
export interface ClaimBounds {
  readonly now: number;
  readonly limit: number;
  readonly bytes: number;
}

/** Takes due deliveries for a session. */
export async function claim(
  on: pg.Pool,
  names: Names,
  session: string,
  { now, limit, bytes }: ClaimBounds,
): Promise<ClaimedDelivery[]> {
  const rows = await run<Row>(on, CLAIM, [now, limit, bytes, session]);
  await names.read(
    on,
    rows.flatMap(({ trigger, shape, entrance }) => [trigger, shape, entrance]),
  );
  return rows.map(({ received, data, task, line, ...row }) => ({
    id: Number(row.id),
    event: Number(row.event),
    trigger: names.text(row.trigger),
    shape: names.text(row.shape),
    attempts: row.attempts,
    receivedAt: received,
    entrance: names.text(row.entrance),
    attributes: row.attributes,
    data: data ?? undefined,
    ...(task === null ? {} : { task }),
    ...(line === null ? {} : { line }),
  }));
}

/** When the earliest that nobody holds is due. */
export async function nextDue(on: pg.Pool): Promise<number | undefined> {
  return (await run<{ due: number }>(on, NEXT, []))[0]?.due;
}

/** Makes parked deliveries of a trigger due, some at a time; how many there were. */
export async function release(
  client: pg.ClientBase,
  lines: Lines,
  trigger: number,
  now: number,
): Promise<number> {
  let released = 0;
  for (let step = RELEASED; step === RELEASED; ) {
    await transaction(client, async (on) => {
      const { rows } = await on.query({ ...RELEASE, values: [trigger, now] });
      const { count, lines: found } = rows[0] as { count: number; lines: string[] | null };
      lines.advance(
        on,
        (found ?? []).map((line) => ({ trigger, line })),
      );
      step = count;
    });
    released += step;
  }
  return released;
}
