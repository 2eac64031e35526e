import type { StoredEvent, Unit, UnitOutcome } from '../journal.ts';
import { byteas, float8s, int4s, int8s, texts } from './binary-array.ts';
import { noteIds } from './id-blocks.ts';
import type { Lines } from './lines.ts';
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
  text: `INSERT INTO waiting (id, event, trigger, shape, state, due, holder, attempts, received, bytes, reason, task, line)
    SELECT id, event, trigger, shape, state, due, CASE WHEN held = 1 THEN $10::int8 ELSE 0 END, 0, received, bytes, reason,
      task, line
    FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::float8[], $7::int4[], $8::float8[],
      $9::int4[], $11::text[], $12::text[], $13::text[])
      AS t(id, event, trigger, shape, state, due, held, received, bytes, reason, task, line)`,
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
  readonly tasks: (string | undefined)[];
  readonly lines: (string | undefined)[];
}

/** What units are inserted with. */
export interface InsertParts {
  readonly names: Names;
  readonly lines: Lines;
  readonly session: string;
  readonly part: number;
  readonly tally: Tally;
}

/** A unit that is to be written, and what it is told once that is committed. */
export interface Written {
  readonly unit: Unit;
  readonly outcome: Extract<UnitOutcome, { readonly outcome: 'committed' }>;
}

/** Gives the units their numbers. */
export function numbered(units: readonly Unit[], numbers: Numbers): readonly Written[] {
  let { event, delivery } = numbers;
  return units.map((unit) => ({
    unit,
    outcome: {
      outcome: 'committed',
      event: unit.event === undefined ? 0 : event++,
      deliveries: unit.deliveries.map(() => delivery++),
    },
  }));
}

/** Sends the units' events and deliveries. */
export function insert(on: Queries, written: readonly Written[], parts: InsertParts): void {
  const { names, lines, session, part, tally } = parts;
  const withEvents = written.flatMap(({ unit, outcome }) =>
    unit.event === undefined ? [] : [{ event: unit.event, outcome }],
  );
  if (withEvents.length === 0) return;
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
    tasks: [],
    lines: [],
  };
  for (const { unit, outcome } of written)
    addDeliveries(deliveries, unit, outcome.event, outcome.deliveries, names);
  const events = withEvents.map(({ event }) => event);
  send(on, {
    ...EVENTS,
    values: [
      int8s(withEvents.map(({ outcome }) => outcome.event)),
      float8s(events.map(({ receivedAt }) => receivedAt)),
      int4s(events.map(({ entrance }) => names.id(entrance))),
      int8s(withEvents.map(({ outcome }) => outcome.deliveries[0] ?? 0)),
      int4s(withEvents.map(({ outcome }) => outcome.deliveries.length)),
      texts(events.map(({ attributes }) => attributes)),
      texts(events.map(({ record }) => record)),
      byteas(events.map(({ data }) => data)),
    ],
  });
  noteIds(
    on,
    withEvents.map(({ event, outcome }) => ({ id: outcome.event, attributes: event.attributes })),
  );
  const size = events.reduce((sum, event) => sum + bytesOf(event), 0);
  tally.add('part', String(part), 'events', events.length);
  tally.add('part', String(part), 'bytes', size + deliveries.ids.length * ROW_BYTES.delivery);
  if (deliveries.ids.length === 0) return;
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
      texts(deliveries.tasks),
      texts(deliveries.lines),
    ],
  });
  tally.add('delivery', '', 'backlog', deliveries.ids.length);
  lines.advance(
    on,
    deliveries.lines.flatMap((line, i) =>
      line === undefined ? [] : [{ trigger: deliveries.triggers[i] ?? 0, line }],
    ),
  );
}

/** Notes that deliveries of a partition refer to these Shapes. */
export function noteShapes(on: Queries, part: number, shapes: readonly number[]): void {
  if (shapes.length > 0) send(on, { ...SHAPES_USED, values: [part, int4s(shapes)] });
}

/** The texts of units that are stored by number, and these Shapes: each once. */
export function namesOf(shapes: Iterable<string>, units: readonly Unit[]): ReadonlySet<string> {
  const found = new Set<string>(shapes);
  for (const { event, deliveries } of units) {
    if (event !== undefined) found.add(event.entrance);
    for (const { trigger, shape } of deliveries) found.add(trigger).add(shape);
  }
  return found;
}

function addDeliveries(into: Columns, unit: Unit, event: number, ids: readonly number[], names: Names): void {
  const { event: stored } = unit;
  if (stored === undefined) return;
  for (const [i, { trigger, shape, due, held, parked, task, line }] of unit.deliveries.entries()) {
    into.ids.push(ids[i] ?? 0);
    into.events.push(event);
    into.triggers.push(names.id(trigger));
    into.shapes.push(names.id(shape));
    into.states.push(parked !== undefined ? STATE.parked : line === undefined ? STATE.waiting : STATE.behind);
    into.due.push(due);
    into.held.push(held ? 1 : 0);
    into.received.push(stored.receivedAt);
    into.bytes.push(stored.data?.length ?? 0);
    into.reasons.push(parked);
    into.tasks.push(task);
    into.lines.push(line);
  }
}

function bytesOf({ attributes, record, data }: StoredEvent): number {
  return ROW_BYTES.event + attributes.length + record.length + (data?.length ?? 0);
}
