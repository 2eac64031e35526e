import type { Unit, UnitOutcome } from '../journal.ts';
import { byteas, float8s, int4s, int8s, texts } from './binary-array.ts';
import type { Names } from './names.ts';
import { type Queries, send } from './queries.ts';
import { STATE } from './schema.ts';
import { ROW_BYTES, type Tally } from './tally.ts';

const EVENTS = {
  name: 'insert-events',
  text: `INSERT INTO event (id, received, entrance, first, deliveries, attributes, record, data)
    SELECT * FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int8[], $5::int4[], $6::text[], $7::text[], $8::bytea[])`,
};
const DELIVERIES = {
  name: 'insert-deliveries',
  text: `INSERT INTO waiting (id, event, trigger, shape, state, due, holder, attempts, received, bytes, reason)
    SELECT id, event, trigger, shape, state, due, CASE WHEN held = 1 THEN $10::int8 ELSE 0 END, 0, received, bytes, reason
    FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::float8[], $7::int4[], $8::float8[],
      $9::int4[], $11::text[]) AS t(id, event, trigger, shape, state, due, held, received, bytes, reason)`,
};
const SHAPES_USED = {
  name: 'insert-shapes-used',
  text: 'INSERT INTO shape_in SELECT $1::int4, unnest($2::int4[]) ON CONFLICT DO NOTHING',
};

/** Numbers for what is written: the first of as many as there are. */
export interface Numbers {
  readonly event: number;
  readonly delivery: number;
}

/** The columns of deliveries to be inserted. */
interface Columns {
  readonly ids: number[];
  readonly events: number[];
  readonly triggers: number[];
  readonly shapes: number[];
  readonly states: number[];
  readonly due: number[];
  readonly held: number[];
  readonly received: number[];
  readonly bytes: number[];
  readonly reasons: (string | undefined)[];
}

/** Sends the units' events and deliveries; answers their outcomes, which hold once the transaction is committed. */
export function insert(
  on: Queries,
  units: readonly Unit[],
  numbers: Numbers,
  parts: { readonly names: Names; readonly session: string; readonly part: number; readonly tally: Tally },
): readonly UnitOutcome[] {
  const { names, session, part, tally } = parts;
  const deliveries: Columns = {
    ids: [],
    events: [],
    triggers: [],
    shapes: [],
    states: [],
    due: [],
    held: [],
    received: [],
    bytes: [],
    reasons: [],
  };
  const firsts: number[] = [];
  let next = numbers.delivery;
  let size = 0;
  const outcomes = units.map((unit, i): UnitOutcome => {
    const event = numbers.event + i;
    firsts.push(next);
    const ids = unit.deliveries.map(() => next++);
    addDeliveries(deliveries, unit, event, ids, names);
    size += bytesOf(unit) + unit.deliveries.length * ROW_BYTES.delivery;
    return { outcome: 'committed', event, deliveries: ids };
  });
  const events = units.map(({ event }) => event);
  if (events.length > 0) {
    send(on, {
      ...EVENTS,
      values: [
        int8s(units.map((_, i) => numbers.event + i)),
        float8s(events.map(({ receivedAt }) => receivedAt)),
        int4s(events.map(({ entrance }) => names.id(entrance))),
        int8s(firsts),
        int4s(units.map((unit) => unit.deliveries.length)),
        texts(events.map(({ attributes }) => attributes)),
        texts(events.map(({ record }) => record)),
        byteas(events.map(({ data }) => data)),
      ],
    });
    tally.add('part', String(part), 'events', events.length);
    tally.add('part', String(part), 'bytes', size);
  }
  if (deliveries.ids.length > 0) {
    send(on, {
      ...DELIVERIES,
      values: [
        int8s(deliveries.ids),
        int8s(deliveries.events),
        int4s(deliveries.triggers),
        int4s(deliveries.shapes),
        int4s(deliveries.states),
        float8s(deliveries.due),
        int4s(deliveries.held),
        float8s(deliveries.received),
        int4s(deliveries.bytes),
        session,
        texts(deliveries.reasons),
      ],
    });
    tally.add('delivery', '', 'backlog', deliveries.ids.length);
  }
  return outcomes;
}

/** Notes that deliveries of a partition refer to these Shapes. */
export function noteShapes(on: Queries, part: number, shapes: readonly number[]): void {
  if (shapes.length > 0) send(on, { ...SHAPES_USED, values: [part, int4s(shapes)] });
}

/** The texts of a unit that are stored by number. */
export function namesOf({ event, deliveries }: Unit): string[] {
  return [event.entrance, ...deliveries.flatMap(({ trigger, shape }) => [trigger, shape])];
}

function addDeliveries(into: Columns, unit: Unit, event: number, ids: readonly number[], names: Names): void {
  for (const [i, { trigger, shape, due, held, parked }] of unit.deliveries.entries()) {
    into.ids.push(ids[i] ?? 0);
    into.events.push(event);
    into.triggers.push(names.id(trigger));
    into.shapes.push(names.id(shape));
    into.states.push(parked === undefined ? STATE.waiting : STATE.parked);
    into.due.push(due);
    into.held.push(held ? 1 : 0);
    into.received.push(unit.event.receivedAt);
    into.bytes.push(unit.event.data?.length ?? 0);
    into.reasons.push(parked);
  }
}

function bytesOf({ event }: Unit): number {
  return ROW_BYTES.event + event.attributes.length + event.record.length + (event.data?.length ?? 0);
}
