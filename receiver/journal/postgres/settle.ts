import type { Attempt, Settlement } from '../journal.ts';
import { float8s, int4s, int8s, texts } from './binary-array.ts';
import type { Line, Lines } from './lines.ts';
import { type Queries, send } from './queries.ts';
import { STATE } from './schema.ts';

/** How many attempts of a delivery are kept: the newest. */
const KEPT = 20;

/** A history with the attempt `t.attempt`, where there is one, cut to the newest. */
const HISTORY = (history: string): string =>
  `(CASE WHEN t.attempt IS NULL THEN ${history} ELSE ${history}[greatest(1, cardinality(${history}) - ${KEPT - 2}):] || t.attempt END)`;
const ADD_TO_TALLY = 'ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n';

const COLUMNS = 'id, event, trigger, shape, state, at, received, bytes, reason, history, task, line';
/** The lines that a statement has touched. */
const LINED = 'SELECT trigger, line FROM';

/** The end: out of `waiting`, into `done` or, if it is dead or its partition is closed, into `ended`. */
const END = {
  name: 'settle-end',
  text: `WITH told AS (
      SELECT * FROM unnest($2::int8[], $3::int4[], $4::float8[], $5::text[], $6::text[], $7::int4[])
        AS t(id, state, at, reason, attempt, open)
    ), gone AS (
      DELETE FROM waiting w USING told t WHERE w.id = t.id AND w.holder IN (0, $1::int8)
      RETURNING w.id, w.event, w.trigger, w.shape, t.state, t.at, w.received, w.bytes, t.reason,
        ${HISTORY("(coalesce(w.history, '{}'::text[]))")} AS history, w.task, w.line, t.open
    ), put AS (
      INSERT INTO done SELECT ${COLUMNS} FROM gone WHERE open = 1
    ), kept AS (
      INSERT INTO ended SELECT ${COLUMNS} FROM gone WHERE open = 0
    ), counted AS (INSERT INTO tally SELECT $1::int8, 'delivery', '', status, n FROM (
      SELECT 'backlog' AS status, -count(*) AS n FROM gone
      UNION ALL SELECT 'dead', count(*) FROM gone WHERE state = ${STATE.dead}
    ) counts WHERE n <> 0 ${ADD_TO_TALLY}) ${LINED} gone WHERE line IS NOT NULL`,
};
/** One that is given out of its line keeps its place there; another goes behind. */
const WAIT = {
  name: 'settle-wait',
  text: `WITH w AS (UPDATE waiting w SET
      state = CASE WHEN line IS NULL OR state = ${STATE.waiting} THEN ${STATE.waiting} ELSE ${STATE.behind} END,
      holder = 0, due = t.due, reason = NULL,
      attempts = w.attempts + (t.attempt IS NOT NULL)::int, history = ${HISTORY("(coalesce(w.history, '{}'::text[]))")}
    FROM unnest($2::int8[], $3::float8[], $4::text[]) AS t(id, due, attempt)
    WHERE w.id = t.id AND w.holder IN (0, $1::int8) RETURNING trigger, line) ${LINED} w WHERE line IS NOT NULL`,
};
/** A dead delivery waits again: its attempts are counted anew, its history stays. */
const REVIVE = {
  name: 'settle-revive',
  text: `WITH revived AS (
      DELETE FROM ended e USING unnest($2::int8[], $3::float8[]) AS t(id, due)
      WHERE e.id = t.id AND e.state = ${STATE.dead}
      RETURNING e.id, e.event, e.trigger, e.shape, t.due, e.received, e.bytes, e.history, e.task, e.line
    ), back AS (
      INSERT INTO waiting SELECT id, event, trigger, shape,
        CASE WHEN line IS NULL THEN ${STATE.waiting} ELSE ${STATE.behind} END,
        due, 0, 0, received, bytes, NULL, history, task, line FROM revived
    ), counted AS (INSERT INTO tally SELECT $1::int8, 'delivery', '', status, n FROM (
      SELECT 'backlog' AS status, count(*) AS n FROM revived UNION ALL SELECT 'dead', -count(*) FROM revived
    ) counts WHERE n <> 0 ${ADD_TO_TALLY}) ${LINED} revived WHERE line IS NOT NULL`,
};
const PARK = {
  name: 'settle-park',
  text: `WITH w AS (UPDATE waiting w SET state = ${STATE.parked}, holder = 0, reason = t.reason
    FROM unnest($2::int8[], $3::text[]) AS t(id, reason)
    WHERE w.id = t.id AND w.holder IN (0, $1::int8) RETURNING trigger, line) ${LINED} w WHERE line IS NOT NULL`,
};

type Told<S extends Settlement['state']> = Extract<Settlement, { state: S }>;

/** Settlements in rounds, each delivery once a round: a statement changes a row once. */
export function roundsOf(settlements: readonly Settlement[]): readonly (readonly Settlement[])[] {
  const rounds: Settlement[][] = [];
  const count = new Map<number, number>();
  for (const settlement of settlements) {
    const round = count.get(settlement.delivery) ?? 0;
    count.set(settlement.delivery, round + 1);
    (rounds[round] ??= []).push(settlement);
  }
  return rounds;
}

/** Who settles, and where to. */
export interface SettleParts {
  readonly session: string;
  /** Whether the partition of an id can be written. */
  readonly isOpen: (id: number) => boolean;
  readonly lines: Lines;
  /** Whether who ends a delivery was given it before, by this receiver, which then knows whether it is in a line. */
  readonly given: boolean;
}

/**
 * Carries settlements out. One of a delivery that another session holds by now is void: that session tells what becomes
 * of it. Where there are lines, those of a line go one by one, in order; all others together, and nothing of them need be
 * awaited: what the statements touched of lines after all is told at the end.
 */
export async function settle(
  on: Queries,
  settlements: readonly Settlement[],
  parts: SettleParts,
): Promise<{ readonly touched: readonly Promise<readonly Line[]>[] }> {
  const lined = await parts.lines.among(
    on,
    settlements.map(({ delivery }) => delivery),
  );
  const touched: Promise<readonly Line[]>[] = [];
  for (const round of roundsOf(settlements.filter(({ delivery }) => !lined.has(delivery))))
    touched.push(...settleRound(on, round, parts));
  for (const settlement of settlements) {
    if (!lined.has(settlement.delivery)) continue;
    const lines = await Promise.all(settleRound(on, [settlement], parts));
    parts.lines.advance(on, lines.flat());
  }
  return { touched };
}

function settleRound(
  on: Queries,
  round: readonly Settlement[],
  { session, isOpen, lines: known, given }: SettleParts,
): Promise<readonly Line[]>[] {
  const sorted = [...round].sort((a, b) => a.delivery - b.delivery);
  const ends: (Told<'delivered'> | Told<'dead'>)[] = [];
  const waits: Told<'waiting'>[] = [];
  const parks: Told<'parked'>[] = [];
  const into: { [S in Settlement['state']]: (settlement: Told<S>) => void } = {
    delivered: (settlement) => ends.push(settlement),
    dead: (settlement) => ends.push(settlement),
    waiting: (settlement) => waits.push(settlement),
    parked: (settlement) => parks.push(settlement),
  };
  for (const settlement of sorted) into[settlement.state](settlement as never);
  const touched: Promise<readonly Line[]>[] = [];
  const ask = (statement: { name: string; text: string }, values: readonly Buffer[]): void => {
    const answer = on.query({ ...statement, values: [session, ...values] });
    const lines = answer.then(({ rows }) => rows as Line[]);
    lines.catch(() => undefined);
    touched.push(lines);
  };
  if (ends.length > 0) {
    const values = [
      ids(ends),
      int4s(ends.map(({ state }) => STATE[state])),
      float8s(ends.map((end) => (end.state === 'dead' ? end.at : end.attempt.at))),
      texts(ends.map((end) => (end.state === 'dead' ? end.reason : undefined))),
      attempts(ends),
      int4s(ends.map(({ state, delivery }) => (state === 'delivered' && isOpen(delivery) ? 1 : 0))),
    ];
    // Where none was of a line, the commit need not wait for the answer.
    if (given && !known.exist()) send(on, { ...END, values: [session, ...values] });
    else ask(END, values);
  }
  if (waits.length > 0) {
    const due = float8s(waits.map((wait) => wait.due));
    ask(WAIT, [ids(waits), due, attempts(waits)]);
    ask(REVIVE, [ids(waits), due]);
  }
  if (parks.length > 0) ask(PARK, [ids(parks), texts(parks.map(({ reason }) => reason))]);
  return touched;
}

function ids(settlements: readonly Settlement[]): Buffer {
  return int8s(settlements.map(({ delivery }) => delivery));
}

function attempts(settlements: readonly { readonly attempt?: Attempt }[]): Buffer {
  return texts(
    settlements.map(({ attempt }) => (attempt === undefined ? undefined : JSON.stringify(attempt))),
  );
}

/** Attempts as they were stored. */
export function readAttempts(history: readonly string[] | null): Attempt[] {
  return (history ?? []).map((text) => JSON.parse(text) as Attempt);
}
