import type { DeliveryRow, DeliveryState, EventRow, Page, Query } from '../journal.ts';
import { int8s } from './binary-array.ts';
import { createIdIndex } from './find-by-id.ts';
import type { Names } from './names.ts';
import type { Queries } from './queries.ts';
import { STATE } from './schema.ts';
import { readAttempts } from './settle.ts';

/** How many rows one step of a list reads, so that no statement takes long. */
const STEP = 500;
const LARGEST_PAGE = 1000;
const STATES: readonly DeliveryState[] = ['waiting', 'parked', 'delivered', 'dead', 'waiting'];

const EVENT = 'id, received, entrance, first, deliveries, attributes, record, length(data) AS bytes';
const ONE = { name: 'list-event', text: `SELECT ${EVENT}, data FROM every_event WHERE id = $1` };
/** `$2`, `$3`: a trigger and a state that one of the event's deliveries must have, or NULL. */
const eventsFrom = (
  source: string,
): string => `SELECT ${EVENT}, ($2::int IS NULL AND $3::int IS NULL) OR EXISTS (
      SELECT FROM every_delivery d WHERE d.id >= e.first AND d.id < e.first + e.deliveries
        AND ($2::int IS NULL OR d.trigger = $2) AND ($3::int IS NULL OR d.state = $3 OR ($3 = 0 AND d.state = ${STATE.behind}))) AS fits
    FROM (${source}) e ORDER BY id DESC`;
const EVENTS = {
  name: 'list-events',
  text: eventsFrom(`SELECT * FROM every_event WHERE id < $1 ORDER BY id DESC LIMIT ${STEP}`),
};
/** Each by itself: so each is looked for in its partition alone. */
const amongEvents = (numbers: string): string =>
  `SELECT e.* FROM unnest(${numbers}::int8[]) AS t(id) JOIN LATERAL (SELECT * FROM every_event WHERE id = t.id) e ON true`;
const EVENTS_AMONG = { name: 'list-events-among', text: eventsFrom(amongEvents('$1')) };
const DELIVERY = 'id, event, trigger, state, received, reason, history, task, line';
const FROM_WAITING = `(SELECT ${DELIVERY}, due FROM waiting WHERE id < $1 AND ? ORDER BY id DESC LIMIT ${STEP})`;
const fromEnd = (table: string): string =>
  `(SELECT ${DELIVERY}, NULL::float8 AS due FROM ${table} WHERE id < $1 AND ? ORDER BY id DESC LIMIT ${STEP})`;
const UNION = ' UNION ALL ';

/** Where the deliveries of a state lie. */
const SOURCES: Readonly<Record<string, string>> = {
  waiting: FROM_WAITING.replace('?', `state IN (${STATE.waiting}, ${STATE.behind})`),
  parked: FROM_WAITING.replace('?', `state = ${STATE.parked}`),
  delivered: [fromEnd('done'), fromEnd('ended')].join(UNION).replaceAll('?', `state = ${STATE.delivered}`),
  dead: fromEnd('ended').replace('?', `state = ${STATE.dead}`),
  '': [FROM_WAITING, fromEnd('done'), fromEnd('ended')].join(UNION).replaceAll('?', 'true'),
};
const OF_EVENTS = {
  name: 'list-deliveries-of-events',
  text: `SELECT d.${DELIVERY.replaceAll(', ', ', d.')}, d.due, e.attributes FROM (${amongEvents('$2')}) e
    JOIN every_delivery d ON d.id >= e.first AND d.id < e.first + e.deliveries
    WHERE d.id < $1 ORDER BY d.id DESC LIMIT ${STEP}`,
};

interface EventStored {
  readonly id: string;
  readonly received: number;
  readonly entrance: number;
  readonly attributes: string;
  readonly record: string;
  readonly bytes: number | null;
  readonly fits: boolean;
}
interface DeliveryStored {
  readonly id: string;
  readonly event: string;
  readonly trigger: number;
  readonly state: number;
  readonly due: number | null;
  readonly received: number;
  readonly reason: string | null;
  readonly history: string[] | null;
  readonly attributes: string;
  readonly task: string | null;
  readonly line: string | null;
}

/** Lists, newest first. */
export interface Lists {
  events(query: Query): Promise<Page<EventRow>>;
  deliveries(query: Query): Promise<Page<DeliveryRow>>;
  event(event: number): Promise<{ row: EventRow; data: Uint8Array | undefined } | undefined>;
}

/** Makes them; no statement reads more than a step. */
export function createLists(on: Queries, names: Names): Lists {
  const ids = createIdIndex(on);

  function eventRow(stored: EventStored): EventRow {
    const { id, entrance, received, attributes, record, bytes } = stored;
    return {
      event: Number(id),
      entrance: names.text(entrance),
      receivedAt: received,
      attributes,
      record,
      bytes: bytes ?? 0,
    };
  }

  function deliveryRow(stored: DeliveryStored): DeliveryRow {
    const { due, reason, task, line } = stored;
    return {
      id: Number(stored.id),
      event: Number(stored.event),
      trigger: names.text(stored.trigger),
      state: STATES[stored.state] ?? 'waiting',
      ...(due === null || stored.state !== STATE.waiting ? {} : { due }),
      ...(reason === null ? {} : { reason }),
      ...(task === null ? {} : { task }),
      ...(line === null ? {} : { line }),
      attributes: stored.attributes,
      receivedAt: stored.received,
      attempts: readAttempts(stored.history),
    };
  }

  async function eventRows(
    statement: { readonly name: string; readonly text: string },
    query: Query,
    what: unknown,
  ): Promise<Found<EventStored>[]> {
    const trigger = query.trigger === undefined ? null : ((await names.find(on, query.trigger)) ?? -1);
    const state = query.state === undefined ? null : STATES.indexOf(query.state as DeliveryState);
    const rows = (await on.query({ ...statement, values: [what, trigger, state] })).rows as EventStored[];
    await names.read(
      on,
      rows.map(({ entrance }) => entrance),
    );
    return rows.map((row) => ({ row, fits: row.fits && fits(row, query) }));
  }

  async function eventStep(query: Query, before: number): Promise<Step<EventStored>> {
    if (query.id !== undefined && before > (await ids.since())) {
      const found = await ids.find(query.id, before);
      const rows = found.events.length === 0 ? [] : await eventRows(EVENTS_AMONG, query, int8s(found.events));
      return { rows, before: found.before ?? (await untilNoted()) };
    }
    const rows = await eventRows(EVENTS, query, before);
    return { rows, before: after(rows.map(({ row }) => row)) };
  }

  /** What is older than the notes is read through; undefined: nothing is. */
  async function untilNoted(): Promise<number | undefined> {
    const since = await ids.since();
    return since === 0 ? undefined : since;
  }

  async function eventsWith(id: string): Promise<readonly number[]> {
    const events: number[] = [];
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
      const found = await ids.find(id, before);
      events.push(...found.events);
      before = found.before;
    }
    return events;
  }

  async function deliveriesOf(events: readonly number[], before: number): Promise<DeliveryStored[]> {
    if (events.length === 0) return [];
    const { rows } = await on.query({ ...OF_EVENTS, values: [before, int8s(events)] });
    return rows as DeliveryStored[];
  }

  async function deliveriesFrom(state: string | undefined, before: number): Promise<DeliveryStored[]> {
    const source = SOURCES[state ?? ''];
    if (source === undefined) return [];
    const { rows } = await on.query({
      name: `list-deliveries-${state ?? 'all'}`,
      text: `SELECT d.*, e.attributes FROM (SELECT * FROM (${source}) each ORDER BY id DESC LIMIT ${STEP}) d
        JOIN LATERAL (SELECT attributes FROM every_event WHERE id = d.event) e ON true ORDER BY d.id DESC`,
      values: [before],
    });
    return rows as DeliveryStored[];
  }

  /** Steps of a list of deliveries; `narrowed` are the events that it is of, as far as ids were noted. */
  async function deliveryStep(
    query: Query,
    narrowed: readonly number[] | undefined,
    before: number,
  ): Promise<{ readonly rows: DeliveryStored[]; readonly before: number | undefined }> {
    const noted = narrowed !== undefined && before > (await ids.since());
    const of = query.event === undefined ? noted && narrowed : [query.event];
    const rows = await (of === false ? deliveriesFrom(query.state, before) : deliveriesOf(of, before));
    return { rows, before: after(rows) ?? (noted ? await untilNoted() : undefined) };
  }

  return {
    events: (query) => pages(query, eventRow, (before) => eventStep(query, before)),
    async deliveries(query) {
      const trigger = query.trigger === undefined ? undefined : ((await names.find(on, query.trigger)) ?? -1);
      const narrowed =
        query.id === undefined || query.event !== undefined ? undefined : await eventsWith(query.id);
      return pages(query, deliveryRow, async (start) => {
        const { rows, before } = await deliveryStep(query, narrowed, start);
        await names.read(
          on,
          rows.map((row) => row.trigger),
        );
        const wanted = (row: DeliveryStored): boolean =>
          (query.state === undefined || STATES[row.state] === query.state) &&
          (trigger === undefined || row.trigger === trigger) &&
          fits(row, query);
        return { rows: rows.map((row) => ({ row, fits: wanted(row) })), before };
      });
    },
    async event(event) {
      const [stored] = (await on.query({ ...ONE, values: [event] })).rows as (EventStored & {
        data: Buffer | null;
      })[];
      if (stored === undefined) return undefined;
      await names.read(on, [stored.entrance]);
      return { row: eventRow(stored), data: stored.data ?? undefined };
    },
  };
}

interface Found<S> {
  readonly row: S;
  readonly fits: boolean;
}

/** Rows below a number, newest first, and below which one the next step begins; undefined: the list ends. */
interface Step<S> {
  readonly rows: readonly Found<S>[];
  readonly before: number | undefined;
}

/** Steps through a list until a page is full. */
async function pages<S extends { readonly id: string }, T>(
  query: Query,
  show: (row: S) => T,
  step: (before: number) => Promise<Step<S>>,
): Promise<Page<T>> {
  const limit = Math.min(Math.max(1, query.limit), LARGEST_PAGE);
  const items: T[] = [];
  for (let before: number | undefined = startOf(query.cursor); before !== undefined; ) {
    const { rows, before: next } = await step(before);
    for (const { row, fits } of rows) {
      if (fits) items.push(show(row));
      if (items.length === limit) return { items, next: row.id };
    }
    before = next;
  }
  return { items };
}

/** Where a list goes on after rows of one statement. */
function after<S extends { readonly id: string }>(rows: readonly S[]): number | undefined {
  return rows.length < STEP ? undefined : Number(rows.at(-1)?.id);
}

function fits(row: { readonly received: number; readonly attributes: string }, query: Query): boolean {
  const { since, until, source, id, type } = query;
  if (since !== undefined && row.received < since) return false;
  if (until !== undefined && row.received > until) return false;
  if (source === undefined && id === undefined && type === undefined) return true;
  const attributes = JSON.parse(row.attributes) as Record<string, unknown>;
  return (
    (source === undefined || attributes['source'] === source) &&
    (id === undefined || attributes['id'] === id) &&
    (type === undefined || attributes['type'] === type)
  );
}

/** Where a list begins. @throws RangeError */
export function startOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^\d{1,16}$/.test(cursor) && Number.isSafeInteger(Number(cursor))) return Number(cursor);
  throw new RangeError('cursor: it is none that a list gave out; leave it out to begin with the newest');
}
