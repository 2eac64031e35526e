import type { DatabaseSync } from 'node:sqlite';
import { type DeliveryRow, type DeliveryState, type EventRow, JournalError, type Query } from '../journal.ts';
import { readAttempts } from './attempt.ts';
import type { IdIndex } from './id-index.ts';
import { BEHIND } from './lines.ts';
import type { Names } from './names.ts';
import { attributesOf, type EventColumns, intact, recordOf } from './stored-event.ts';

/** How many rows one step of a list reads, so that writing waits a few milliseconds at most. */
const STEP = 500;
const STATES: readonly DeliveryState[] = ['waiting', 'parked', 'delivered', 'dead', 'waiting'];

/** A piece of a list: what fits the query, and before which id the next step goes on (undefined: the list ends). */
export interface Step<T> {
  readonly items: T[];
  readonly before: number | undefined;
}

export interface Lists {
  events(query: Query, before: number): Step<EventRow>;
  deliveries(query: Query, before: number): Step<DeliveryRow>;
  /** @throws JournalError JournalCorrupt, if the event is not what was written */
  event(event: number): { row: EventRow; data: Uint8Array | undefined } | undefined;
}

type EventStored = Omit<EventColumns, 'data' | 'crc'> & {
  id: number;
  received: number;
  entrance: number;
  first: number;
  deliveries: number;
  bytes: number | null;
};
type DeliveryStored = Pick<EventStored, 'id' | 'received' | 'head' | 'attributes'> & {
  event: number;
  trigger: number;
  state: number;
  due: number | null;
  reason: string | null;
  history: Uint8Array | null;
  task: string | null;
  line: string | null;
};

const EVENT = 'id, received, entrance, first, deliveries, attributes, head, length(data) AS bytes';
const FROM_WAITING = 'SELECT id, event, trigger, state, due, reason, history, task, line FROM waiting';
const FROM_DONE = 'SELECT id, event, trigger, state, NULL AS due, reason, history, task, line FROM done';
const WAITING = `${FROM_WAITING} WHERE id < ?1`;
const DONE = `${FROM_DONE} WHERE id < ?1`;
const NEWEST = `ORDER BY id DESC LIMIT ${STEP}`;
/** Where the deliveries of a state lie. */
const SOURCES: Readonly<Record<string, string>> = {
  waiting: `${WAITING} AND state IN (0, ${BEHIND}) ${NEWEST}`,
  parked: `${WAITING} AND state = 1 ${NEWEST}`,
  delivered: `${DONE} AND state = 2 ${NEWEST}`,
  dead: `${DONE} AND state = 3 ${NEWEST}`,
  '': `SELECT * FROM (${WAITING} ${NEWEST}) UNION ALL SELECT * FROM (${DONE} ${NEWEST}) ${NEWEST}`,
};

/** Reads lists, newest first. */
export function createLists(
  db: DatabaseSync,
  { names, ids, directory }: { names: Names; ids: Pick<IdIndex, 'find'>; directory: string },
): Lists {
  const newest = db.prepare(`SELECT ${EVENT} FROM event WHERE id < ? ${NEWEST}`);
  const byNumber = db.prepare(`SELECT ${EVENT} FROM event WHERE id = ?`);
  const one = db.prepare(`SELECT ${EVENT}, crc, data FROM event WHERE id = ?`);
  const ofEvent = db.prepare(`SELECT trigger, state FROM waiting WHERE id >= ?1 AND id < ?2
    UNION ALL SELECT trigger, state FROM done WHERE id >= ?1 AND id < ?2`);
  const span = db.prepare('SELECT first, deliveries FROM event WHERE id = ?');
  const inSpan = db.prepare(`SELECT d.*, e.received, e.attributes, e.head FROM (
      ${FROM_WAITING} WHERE id >= ?2 AND id < ?3 UNION ALL ${FROM_DONE} WHERE id >= ?2 AND id < ?3
    ) d JOIN event e ON e.id = d.event WHERE d.event = ?1 ORDER BY d.id DESC LIMIT ${STEP}`);
  const newestBefore =
    db.prepare(`SELECT event FROM (SELECT * FROM (SELECT id, event FROM waiting WHERE id < ?1
      ORDER BY id DESC LIMIT 1) UNION ALL SELECT * FROM (SELECT id, event FROM done WHERE id < ?1 ORDER BY id DESC LIMIT 1))
    ORDER BY id DESC LIMIT 1`);
  const firstFrom = db.prepare('SELECT first FROM event WHERE id >= ? ORDER BY id LIMIT 1');
  const bySource = new Map(
    Object.entries(SOURCES).map(([state, source]) => [
      state,
      db.prepare(
        `SELECT d.*, e.received, e.attributes, e.head FROM (${source}) d JOIN event e ON e.id = d.event ORDER BY d.id DESC`,
      ),
    ]),
  );

  /** Whether one of the event's deliveries is of the trigger and in the state that are asked for. */
  function hasDelivery({ first, deliveries }: EventStored, { trigger, state }: Query): boolean {
    if (trigger === undefined && state === undefined) return true;
    const found = ofEvent.all(first, first + deliveries) as { trigger: number; state: number }[];
    return found.some(
      (each) =>
        (trigger === undefined || names.text(each.trigger) === trigger) &&
        (state === undefined || STATES[each.state] === state),
    );
  }

  /** An event's deliveries have ids one after another: no other row is read. */
  function deliveriesOf(event: number, before: number): DeliveryStored[] {
    const found = span.get(event) as Pick<EventStored, 'first' | 'deliveries'> | undefined;
    if (found === undefined) return [];
    const end = Math.min(found.first + found.deliveries, before);
    return inSpan.all(event, found.first, end) as unknown as DeliveryStored[];
  }

  function eventRow(stored: EventStored): EventRow {
    return {
      event: stored.id,
      entrance: names.text(stored.entrance),
      receivedAt: stored.received,
      attributes: attributesOf(stored),
      record: recordOf(stored),
      bytes: stored.bytes ?? 0,
    };
  }

  function deliveryRow(stored: DeliveryStored): DeliveryRow {
    return {
      id: stored.id,
      event: stored.event,
      trigger: names.text(stored.trigger),
      state: STATES[stored.state] ?? 'waiting',
      ...(stored.due === null || stored.state !== 0 ? {} : { due: stored.due }),
      ...(stored.reason === null ? {} : { reason: stored.reason }),
      ...(stored.task === null ? {} : { task: stored.task }),
      ...(stored.line === null ? {} : { line: stored.line }),
      attributes: attributesOf(stored),
      receivedAt: stored.received,
      attempts: readAttempts(stored.history),
    };
  }

  /** Only events that may have the id are read. */
  function byId(
    id: string,
    limit: number,
    before: number,
    wanted: (row: EventStored) => boolean,
  ): Step<EventRow> {
    const found = ids.find(id, before);
    const items: EventRow[] = [];
    for (const event of found.events) {
      const row = byNumber.get(event) as unknown as EventStored | undefined;
      if (row !== undefined && wanted(row)) items.push(eventRow(row));
      if (items.length === limit) return { items, before: event };
    }
    return { items, before: found.before };
  }

  /** Only deliveries of events that may have the id are read. Ids of deliveries grow with the numbers of their events. */
  function deliveriesById(
    id: string,
    limit: number,
    before: number,
    wanted: (row: DeliveryStored) => boolean,
  ): Step<DeliveryRow> {
    const items: DeliveryRow[] = [];
    const newest = newestBefore.get(before) as { event: number } | undefined;
    if (newest === undefined) return { items, before: undefined };
    const found = ids.find(id, newest.event + 1);
    for (const event of found.events) {
      const rows = deliveriesOf(event, before);
      for (const row of rows) {
        if (wanted(row)) items.push(deliveryRow(row));
        if (items.length === limit) return { items, before: row.id };
      }
      if (rows.length === STEP) return { items, before: rows.at(-1)?.id };
    }
    if (found.before === undefined) return { items, before: undefined };
    return { items, before: (firstFrom.get(found.before) as { first: number } | undefined)?.first };
  }

  return {
    events(query, before) {
      const wanted = (row: EventStored): boolean => fits(row, query) && hasDelivery(row, query);
      if (query.id !== undefined) return byId(query.id, query.limit, before, wanted);
      const rows = newest.all(before) as unknown as EventStored[];
      return step(rows, query.limit, wanted, eventRow);
    },
    deliveries(query, before) {
      const { id, event, trigger, state } = query;
      const wanted = (row: DeliveryStored): boolean =>
        (state === undefined || STATES[row.state] === state) &&
        (trigger === undefined || names.text(row.trigger) === trigger) &&
        fits(row, query);
      if (event === undefined && id !== undefined) return deliveriesById(id, query.limit, before, wanted);
      const rows =
        event === undefined
          ? ((bySource.get(state ?? '')?.all(before) ?? []) as unknown as DeliveryStored[])
          : deliveriesOf(event, before);
      return step(rows, query.limit, wanted, deliveryRow);
    },
    event(event) {
      const stored = one.get(event) as unknown as (EventStored & EventColumns) | undefined;
      if (stored === undefined) return undefined;
      if (!intact(stored)) {
        throw new JournalError(
          'JournalCorrupt',
          `event ${event} of the journal in ${directory} is damaged: its checksum does not fit`,
        );
      }
      return { row: eventRow(stored), data: stored.data ?? undefined };
    },
  };
}

/** Takes what fits from rows that are newest first, up to `limit`. */
function step<S extends { id: number }, T>(
  rows: S[],
  limit: number,
  fits: (row: S) => boolean,
  show: (row: S) => T,
): Step<T> {
  const items: T[] = [];
  let before: number | undefined;
  for (const row of rows) {
    before = row.id;
    if (fits(row)) items.push(show(row));
    if (items.length === limit) return { items, before };
  }
  return { items, before: rows.length < STEP ? undefined : before };
}

function fits(row: Pick<EventStored, 'received' | 'head' | 'attributes'>, query: Query): boolean {
  const { since, until, source, id, type } = query;
  if (since !== undefined && row.received < since) return false;
  if (until !== undefined && row.received > until) return false;
  if (source === undefined && id === undefined && type === undefined) return true;
  const attributes = JSON.parse(attributesOf(row)) as Record<string, unknown>;
  return (
    (source === undefined || attributes['source'] === source) &&
    (id === undefined || attributes['id'] === id) &&
    (type === undefined || attributes['type'] === type)
  );
}
