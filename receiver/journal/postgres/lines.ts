import { int4s, int8s, texts } from './binary-array.ts';
import { type Queries, send } from './queries.ts';
import { STATE } from './schema.ts';

/** A line of a trigger's deliveries. */
export interface Line {
  /** The trigger's number. */
  readonly trigger: number;
  readonly line: string;
}

/** Whoever changes a line waits here for the others that do; what they did is then seen by the next statement. */
const LOCK = {
  name: 'line-lock',
  text: `INSERT INTO line SELECT * FROM unnest($1::int4[], $2::text[]) AS t(trigger, line)
    ON CONFLICT (trigger, line) DO UPDATE SET line = excluded.line`,
};
/** Gives a line's place to the next by id, unless one is out, or one that is parked comes before. */
const ADVANCE = {
  name: 'line-advance',
  text: `UPDATE waiting w SET state = ${STATE.waiting} FROM (
      SELECT l.trigger, l.line, (SELECT id FROM waiting b WHERE b.trigger = l.trigger AND b.line = l.line
        AND b.state = ${STATE.behind} ORDER BY id LIMIT 1) AS id
      FROM unnest($1::int4[], $2::text[]) AS l(trigger, line)
      WHERE NOT EXISTS (SELECT FROM waiting o WHERE o.trigger = l.trigger AND o.line = l.line AND o.state = ${STATE.waiting})
    ) n WHERE w.id = n.id AND NOT EXISTS (SELECT FROM waiting p
      WHERE p.trigger = n.trigger AND p.line = n.line AND p.state = ${STATE.parked} AND p.id < n.id)`,
};
const AMONG = {
  name: 'line-among',
  text: `SELECT id FROM waiting WHERE id = ANY($1::int8[]) AND line IS NOT NULL
    UNION ALL SELECT id FROM ended WHERE id = ANY($1::int8[]) AND line IS NOT NULL`,
};

/** Deliveries of one trigger and one line: at most one of them is out, which is to say in state `waiting`. */
export interface Lines {
  /** Whether there are lines at all, as far as this receiver knows: it knows of those that it has had to do with. */
  exist(): boolean;
  /** A delivery was seen that is in one. */
  found(): void;
  /** Which of these deliveries are in a line; asked only since there are lines at all. */
  among(on: Queries, deliveries: readonly number[]): Promise<ReadonlySet<number>>;
  /** Gives each of these lines' place to the next, where it is free. In the caller's transaction. */
  advance(on: Queries, lines: readonly Line[]): void;
}

/** Makes it. `exist`: whether there are lines already. */
export function createLines(exist: boolean): Lines {
  let known = exist;
  return {
    exist: () => known,
    found() {
      known = true;
    },
    async among(on, deliveries) {
      if (!known || deliveries.length === 0) return new Set();
      const { rows } = await on.query({ ...AMONG, values: [int8s(deliveries)] });
      return new Set((rows as { id: string }[]).map(({ id }) => Number(id)));
    },
    advance(on, lines) {
      if (lines.length === 0) return;
      known = true;
      const each = new Map(lines.map(({ trigger, line }) => [`${trigger}\n${line}`, { trigger, line }]));
      // In one order: two transactions never wait for each other.
      const sorted = [...each].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
      const values = [int4s(sorted.map(({ trigger }) => trigger)), texts(sorted.map(({ line }) => line))];
      send(on, { ...LOCK, values });
      send(on, { ...ADVANCE, values });
    },
  };
}
