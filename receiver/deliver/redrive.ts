import type { DeliveryRow, Journal, Query } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import { stepTask } from './task.ts';

/** Which dead letters are meant. */
export type RedriveFilter = Pick<Query, 'source' | 'id' | 'type' | 'trigger' | 'since' | 'until'>;

/** One page of a redrive: of deliveries by their ids, or of those that a filter finds. */
export type RedriveRequest = {
  /** Only tell what would be done. */
  readonly dryRun: boolean;
  /** How many become due in a second; left out: all at once. */
  readonly perSecond?: number;
} & (
  | { readonly ids: readonly number[] }
  | { readonly filter: RedriveFilter; readonly limit: number; readonly cursor?: string }
);

/**
 * What became of one delivery that was asked for.
 * - `redriven`: it is due again, its attempts counted anew
 * - `gone`: there is no such delivery, or it has passed its retention
 * - `notDead`: it waits, is parked or was delivered
 * - `noTrigger`: its trigger, or the step in it, does not exist, so that it would be a dead letter again at once
 */
export type RedriveFate = 'redriven' | 'gone' | 'notDead' | 'noTrigger';

export interface Redriven {
  /** The delivery's. */
  readonly id: number;
  readonly fate: RedriveFate;
  readonly event?: number;
  readonly trigger?: string;
}

/** What one page came to. */
export interface RedrivePage {
  readonly dryRun: boolean;
  readonly items: readonly Redriven[];
  /** Milliseconds until the last of them is due, at the rate that was asked for: when the next page should be. */
  readonly waitMs: number;
  /** More of the filter: the cursor of the next page. */
  readonly next?: string;
}

/** What a redrive works with. */
export interface RedriveParts {
  readonly journal: Pick<Journal, 'deliveries' | 'settle' | 'flush'>;
  /** Whether a trigger of this `namespace/name` is in force, with that step where it is a step's delivery. */
  readonly exists: (trigger: string, step: string | undefined) => boolean;
  /** Deliveries of the journal are due at that time. */
  readonly due: (at: number) => void;
  /** A dead letter waits again. */
  readonly brought: (trigger: string) => void;
  readonly now: () => number;
  readonly log: Pick<Log, 'info'>;
}

/** Brings dead letters back; resolves when what it did is durable. */
export type Redrive = (request: RedriveRequest) => Promise<RedrivePage>;

/** Ids looked up at once. */
const LOOKUPS = 50;

/**
 * Makes it. Pages are taken one after the other: two that ran together could both find a delivery dead, and the second
 * would take it out of the engine's hands.
 */
export function createRedrive(parts: RedriveParts): Redrive {
  let last: Promise<unknown> = Promise.resolve();
  return (request) => {
    const mine = last.then(() => redrive(request, parts));
    last = mine.catch(() => {});
    return mine;
  };
}

async function redrive(request: RedriveRequest, parts: RedriveParts): Promise<RedrivePage> {
  const { items, next } = 'ids' in request ? await byId(request.ids, parts) : await byFilter(request, parts);
  const brought = items.filter(({ fate }) => fate === 'redriven');
  const spacing = request.perSecond === undefined ? 0 : 1000 / request.perSecond;
  if (!request.dryRun && brought.length > 0) {
    await bringBack(brought, spacing, parts);
    parts.log.info({ deliveries: brought.length }, 'dead letters were brought back');
  }
  const page = { dryRun: request.dryRun, items, waitMs: Math.ceil(brought.length * spacing) };
  return next === undefined ? page : { ...page, next };
}

/** The oldest is due first: lists go newest first, the world went the other way. */
async function bringBack(
  items: readonly Redriven[],
  spacing: number,
  { journal, due, brought, now }: RedriveParts,
): Promise<void> {
  const start = now();
  for (const [i, { id, trigger = '' }] of items.toSorted((a, b) => a.id - b.id).entries()) {
    journal.settle({ delivery: id, state: 'waiting', due: Math.round(start + i * spacing) });
    brought(trigger);
  }
  await journal.flush();
  due(start);
}

async function byId(
  ids: readonly number[],
  { journal, exists }: RedriveParts,
): Promise<{ readonly items: readonly Redriven[]; readonly next?: string }> {
  const items: Redriven[] = [];
  const asked = [...new Set(ids)];
  for (let at = 0; at < asked.length; at += LOOKUPS) {
    const found = asked
      .slice(at, at + LOOKUPS)
      .map(async (id) => judged(id, await deliveryOf(id, journal), exists));
    items.push(...(await Promise.all(found)));
  }
  return { items };
}

async function byFilter(
  { filter, limit, cursor }: Extract<RedriveRequest, { readonly filter: RedriveFilter }>,
  { journal, exists }: RedriveParts,
): Promise<{ readonly items: readonly Redriven[]; readonly next?: string }> {
  const query = { ...filter, state: 'dead', limit };
  const page = await journal.deliveries(cursor === undefined ? query : { ...query, cursor });
  return { ...page, items: page.items.map((row) => judged(row.id, row, exists)) };
}

/** The delivery of an id: the newest whose id is below the next one's is the one itself, or another where it is gone. */
export async function deliveryOf(
  id: number,
  journal: Pick<Journal, 'deliveries'>,
): Promise<DeliveryRow | undefined> {
  const { items } = await journal.deliveries({ limit: 1, cursor: String(id + 1) });
  return items[0]?.id === id ? items[0] : undefined;
}

function judged(id: number, row: DeliveryRow | undefined, exists: RedriveParts['exists']): Redriven {
  if (row === undefined) return { id, fate: 'gone' };
  const { event, trigger, state, task } = row;
  const is = state === 'dead' && exists(trigger, stepTask(task)?.step);
  const fate = state !== 'dead' ? 'notDead' : is ? 'redriven' : 'noTrigger';
  return { id, fate, event, trigger };
}
