import type pg from 'pg';
import type { ClaimedDelivery } from '../journal.ts';
import { int4s } from './binary-array.ts';
import { onOne, run } from './connection.ts';
import { createDoubts } from './doubts.ts';
import type { Lines } from './lines.ts';
import type { Names } from './names.ts';
import { STATE } from './schema.ts';
import { transaction } from './transaction.ts';

/** What can be claimed. */
const FREE = `state = ${STATE.waiting} AND holder = 0`;
const DUE = `${FREE} AND due <= $1`;
/** From each trigger straight to the next one in the index, however many deliveries lie between. */
const NEXT_HEAD = (trigger: string): string =>
  `SELECT trigger, due FROM waiting WHERE ${FREE} AND trigger > ${trigger} ORDER BY trigger, due LIMIT 1`;

/**
 * Takes, for a session that lives, what is due and what nobody holds; what another session is taking just now is passed over.
 * - `few`, `all_due`: what is due is no more than the claim takes, and goes in the order it is due
 * - else triggers take turns: `head` goes once around them, beginning after the one that had the last turn, `ring` numbers
 *   them, `own` takes a share for each, `rest` what some leave of theirs for the first that has more
 * One always goes, however large it is: else it would never be delivered.
 */
const CLAIM = {
  name: 'claim',
  text: `WITH RECURSIVE alive AS (SELECT FROM session WHERE id = $4::int8 FOR KEY SHARE),
    few AS (SELECT count(*) <= $2 AND EXISTS (SELECT FROM alive) AS yes
      FROM (SELECT FROM waiting WHERE ${DUE} ORDER BY due LIMIT $2 + 1) each),
    all_due AS (SELECT id, bytes, due, trigger, 0::int8 AS turn FROM waiting
      WHERE ${DUE} AND trigger <> ALL($5::int4[]) AND (SELECT yes FROM few) ORDER BY due, id LIMIT $2 FOR UPDATE SKIP LOCKED),
    head (trigger, due, again) AS (
      SELECT $6::int4, 'infinity'::float8, false WHERE NOT (SELECT yes FROM few) AND EXISTS (SELECT FROM alive)
      UNION ALL SELECT next.* FROM head, LATERAL (
        (SELECT each.*, head.again FROM (${NEXT_HEAD('head.trigger')}) each)
        UNION ALL (SELECT each.*, true FROM (${NEXT_HEAD('0')}) each WHERE NOT head.again) LIMIT 1
      ) next WHERE NOT next.again OR next.trigger <= $6::int4
    ),
    ring AS MATERIALIZED (SELECT trigger, row_number() OVER () AS turn, greatest(1, $2 / count(*) OVER ()) AS share
      FROM (SELECT trigger FROM head WHERE due <= $1 AND trigger <> ALL($5::int4[]) LIMIT $2) each),
    own AS MATERIALIZED (SELECT each.*, turn FROM ring, LATERAL (SELECT id, bytes, due, trigger FROM waiting
      WHERE ${DUE} AND trigger = ring.trigger ORDER BY due LIMIT ring.share FOR UPDATE SKIP LOCKED) each),
    more AS MATERIALIZED (SELECT * FROM ring WHERE share = (SELECT count(*) FROM own WHERE own.turn = ring.turn)),
    rest AS MATERIALIZED (SELECT each.*, turn FROM (SELECT * FROM more ORDER BY turn) more,
      LATERAL (SELECT id, bytes, due, trigger FROM waiting WHERE ${DUE} AND trigger = more.trigger ORDER BY due
        OFFSET more.share LIMIT $2 FOR UPDATE SKIP LOCKED) each LIMIT $2 - (SELECT count(*) FROM own)),
    due AS (SELECT *, 0 AS round FROM all_due UNION ALL SELECT *, 1 FROM own UNION ALL SELECT *, 2 FROM rest),
    fit AS (SELECT id, turn, round FROM (SELECT id, turn, round, sum(bytes) OVER w AS total, row_number() OVER w AS place
      FROM due WINDOW w AS (ORDER BY round, turn, due, id)) each WHERE total <= $3 OR place = 1),
    taken AS (
      UPDATE waiting SET holder = $4 WHERE id = ANY(ARRAY(SELECT id FROM fit))
      RETURNING id, event, trigger, shape, attempts, received, due, task, line
    ) SELECT t.*, fit.turn, fit.round, e.entrance, e.attributes, e.data FROM taken t JOIN fit ON fit.id = t.id,
      LATERAL (SELECT * FROM every_event WHERE id = t.event OFFSET 0) e ORDER BY t.due, t.id`,
};
const NEXT = {
  name: 'next-due',
  text: `SELECT due, trigger FROM waiting WHERE ${FREE} ORDER BY due LIMIT 1`,
};
const NEXT_OF_OTHERS = {
  name: 'next-due-of-others',
  text: `WITH RECURSIVE head (trigger, due) AS (
      (${NEXT_HEAD('0')}) UNION ALL SELECT next.* FROM head, LATERAL (${NEXT_HEAD('head.trigger')}) next
    ) SELECT min(due) AS due FROM head WHERE trigger <> ALL($1::int4[])`,
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
  /** Which turn of the claim took it, and in which round; 0: there were none. */
  readonly turn: string;
  readonly round: number;
}

/** What one claim may take; `except`: triggers that are left out. */
export interface ClaimBounds {
  readonly now: number;
  readonly limit: number;
  readonly bytes: number;
  readonly except: readonly string[];
}

/** Reads deliveries back. */
export interface Claims {
  /** Takes due deliveries for a session. */
  claim(session: string, bounds: ClaimBounds): Promise<ClaimedDelivery[]>;
  /** When the earliest is due that nobody holds and that is not of one of these triggers. */
  nextDue(except: readonly string[]): Promise<number | undefined>;
}

/** Makes it; whose turn it is, each receiver keeps for itself. */
export function createClaims(on: pg.Pool, names: Names): Claims {
  /** The trigger that had the last turn. */
  let last = 0;
  const doubts = createDoubts();
  let turn: Promise<unknown> = Promise.resolve();

  async function numbers(triggers: readonly string[]): Promise<number[]> {
    const found = await Promise.all(triggers.map((trigger) => names.find(on, trigger)));
    return found.filter((id) => id !== undefined);
  }

  async function claimOnce(
    session: string,
    { now, limit, bytes, except }: ClaimBounds,
  ): Promise<ClaimedDelivery[]> {
    const values = [now, limit, bytes, session, int4s(await numbers(except)), last];
    const rows = await onOne(on, async (client) => {
      await doubts.resolve(client, session);
      let taken: readonly Row[] = [];
      // In two steps: where an answer is lost, this session would else hold what it does not know of, for as long as it lives.
      await transaction(client, async (step) => {
        taken = (await step.query({ ...CLAIM, values })).rows as Row[];
        await names.read(
          client,
          taken.flatMap(({ trigger, shape, entrance }) => [trigger, shape, entrance]),
        );
        const ids = taken.map(({ id }) => Number(id));
        doubts.open(client, ids);
      });
      doubts.settled();
      return taken;
    });
    last = lastOf(rows) ?? last;
    return rows.map((row) => claimed(row, names));
  }

  return {
    claim(session, bounds) {
      // One after another: what the one under way has not been told yet is no doubt of the next.
      const claims = turn.then(() => claimOnce(session, bounds));
      turn = claims.catch(() => undefined);
      return claims;
    },
    async nextDue(except) {
      const [head] = await run<{ due: number; trigger: number }>(on, NEXT, []);
      if (head === undefined || except.length === 0) return head?.due;
      const out = await numbers(except);
      if (!out.includes(head.trigger)) return head.due;
      const [other] = await run<{ due: number | null }>(on, NEXT_OF_OTHERS, [int4s(out)]);
      return other?.due ?? undefined;
    },
  };
}

/** Whose turn was the last; what was left of a claim is nobody's turn. */
function lastOf(rows: readonly Row[]): number | undefined {
  let last: Row | undefined;
  for (const row of rows) if (row.round === 1 && Number(row.turn) > Number(last?.turn ?? 0)) last = row;
  return last?.trigger;
}

function claimed({ task, line, ...row }: Row, names: Names): ClaimedDelivery {
  return {
    id: Number(row.id),
    event: Number(row.event),
    trigger: names.text(row.trigger),
    shape: names.text(row.shape),
    attempts: row.attempts,
    receivedAt: row.received,
    entrance: names.text(row.entrance),
    attributes: row.attributes,
    data: row.data ?? undefined,
    ...(task === null ? {} : { task }),
    ...(line === null ? {} : { line }),
  };
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
