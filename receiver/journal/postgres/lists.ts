import type { DeliveryRow, DeliveryState, EventRow, Page, Query } from '../journal.ts';
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
const EVENTS = {
  name: 'list-events',
  text: `SELECT ${EVENT}, ($2::int IS NULL AND $3::int IS NULL) OR EXISTS (
      SELECT FROM every_delivery d WHERE d.id >= e.first AND d.id < e.first + e.deliveries
        AND ($2::int IS NULL OR d.trigger = $2) AND ($3::int IS NULL OR d.state = $3 OR ($3 = 0 AND d.state = ${STATE.behind}))) AS fits
    FROM (SELECT * FROM every_event WHERE id < $1 ORDER BY id DESC LIMIT ${STEP}) e ORDER BY id DESC`,
};
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
const OF_EVENT = {
  name: 'list-deliveries-of-event',
  text: `SELECT d.${DELIVERY.replaceAll(', ', ', d.')}, d.due, e.attributes
    FROM (SELECT * FROM every_event WHERE id = $2) e
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

  async function deliverySteps({ event, state }: Query, before: number): Promise<DeliveryStored[]> {
    if (event !== undefined) {
      return (await on.query({ ...OF_EVENT, values: [before, event] })).rows as DeliveryStored[];
    }
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

  return {
    async events(query) {
      const trigger = query.trigger === undefined ? null : ((await names.find(on, query.trigger)) ?? -1);
      const state = query.state === undefined ? null : STATES.indexOf(query.state as DeliveryState);
      return pages(query, eventRow, async (before) => {
        const { rows } = await on.query({ ...EVENTS, values: [before, trigger, state] });
        await names.read(
          on,
          (rows as EventStored[]).map(({ entrance }) => entrance),
        );
        return (rows as EventStored[]).map((row) => ({ row, fits: row.fits && fits(row, query) }));
      });
    },
    async deliveries(query) {
      const trigger = query.trigger === undefined ? undefined : ((await names.find(on, query.trigger)) ?? -1);
      return pages(query, deliveryRow, async (before) => {
        const rows = await deliverySteps(query, before);
        await names.read(
          on,
          rows.map((row) => row.trigger),
        );
        const wanted = (row: DeliveryStored): boolean =>
          (query.state === undefined || STATES[row.state] === query.state) &&
          (trigger === undefined || row.trigger === trigger) &&
          fits(row, query);
        return rows.map((row) => ({ row, fits: wanted(row) }));
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

/** Steps through a list until a page is full; `step` reads rows below an id, newest first. */
async function pages<S extends { readonly id: string }, T>(
  query: Query,
  show: (row: S) => T,
  step: (before: number) => Promise<readonly { readonly row: S; readonly fits: boolean }[]>,
): Promise<Page<T>> {
  const limit = Math.min(Math.max(1, query.limit), LARGEST_PAGE);
  const items: T[] = [];
  for (let before = startOf(query.cursor); ; ) {
    const rows = await step(before);
    for (const { row, fits } of rows) {
      before = Number(row.id);
      if (fits) items.push(show(row));
      if (items.length === limit) return { items, next: String(before) };
    }
    if (rows.length < STEP) return { items };
  }
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
