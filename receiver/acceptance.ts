import { hash } from 'node:crypto';
import type { HeldDelivery } from './deliver/engine-contract.ts';
import { heldUp } from './deliver/held-up.ts';
import type { CloudEvent } from './event/event.ts';
import { dedupKey, fingerprint } from './journal/dedup-key.ts';
import type { NewDelivery, Unit, UnitOutcome } from './journal/journal.ts';
import type { TraceContext } from './observe/trace-context.ts';
import type { RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Dedup } from './routing/table.ts';

/** A line is written beside each of its deliveries, so that it is not to be long. */
const LONGEST_LINE = 256;

/** What an accepted event's sender is told. */
export interface Accepted {
  readonly source: string;
  readonly id: string;
  readonly duplicate: boolean;
  /** A repeat of the same id with other bytes. */
  readonly differs: boolean;
  /** `namespace/name` of each trigger that took it. */
  readonly triggers: readonly string[];
}

/** What all events of a request bring with them from their entrance. */
export interface Arrival {
  readonly entrance: string;
  readonly dedup: Dedup;
  /** The name of the secret that verified the request. */
  readonly key: string | undefined;
  /** Of the table in force. */
  readonly revision: number;
  readonly now: number;
  /** The span in which the request was received, where it is traced. */
  readonly trace?: TraceContext | undefined;
}

/** An event and the triggers that take it. */
export interface Matched {
  readonly event: CloudEvent;
  readonly triggers: readonly RunningTrigger[];
}

/**
 * One for each trigger; parked where the table in force says that it may not deliver now. One that is ordered is never held:
 * the journal knows whose turn it is.
 */
export function deliveriesOf(
  { event, triggers }: Matched,
  { now }: Arrival,
  runtime: Pick<Runtime, 'trigger'>,
  room: boolean,
): readonly NewDelivery[] {
  return triggers.map(({ key, shape }) => {
    const entry = runtime.trigger(key)?.entry;
    const parked = entry === undefined ? undefined : heldUp(entry);
    const line = entry?.policy.ordering === 'PerSubject' ? lineOf(event) : undefined;
    const held = room && parked === undefined && line === undefined;
    return { trigger: key, shape: shape.hash, due: now, held, parked, line };
  });
}

/** Long subjects are known by their beginning and their hash. Without a subject there is no order. */
function lineOf(event: CloudEvent): string | undefined {
  const subject = event.attributes['subject'];
  if (subject === undefined || subject.length <= LONGEST_LINE) return subject;
  return `${subject.slice(0, LONGEST_LINE / 2)}…${hash('sha256', subject, 'base64url')}`;
}

/** The one unit of work that an event is: its dedup key, itself, its deliveries and the answer a repeat gets. */
export function unitOf(
  { event, triggers }: Matched,
  arrival: Arrival,
  deliveries: readonly NewDelivery[],
): Unit {
  const { entrance, now, dedup, key, revision, trace } = arrival;
  const names = JSON.stringify(triggers.map((trigger) => trigger.key));
  const proof = key === undefined ? '' : `"key":${JSON.stringify(key)},`;
  const traced = trace === undefined ? '' : `,"trace":${JSON.stringify(trace)}`;
  const unit = {
    event: {
      entrance,
      receivedAt: now,
      attributes: JSON.stringify(event.attributes),
      data: event.body,
      record: `{${proof}"revision":${revision},"triggers":${names}${traced}}`,
    },
    deliveries,
    answer: names,
  };
  if (!dedup.enabled) return unit;
  const unseen = {
    key: dedupKey(entrance, event.source, event.id),
    fingerprint: fingerprint(event),
    expiresAt: now + dedup.windowMs,
    // An event that nobody wanted leaves its id free: sent again, it is matched anew.
    occupy: triggers.length > 0,
  };
  return { ...unit, unseen };
}

/** What the sender is told of an event that was written, or that was there already. */
export function acceptedOf({ event, triggers }: Matched, outcome: UnitOutcome): Accepted {
  const { source, id } = event;
  if (outcome.outcome === 'seen') {
    return {
      source,
      id,
      duplicate: true,
      differs: outcome.differs,
      triggers: JSON.parse(outcome.answer) as string[],
    };
  }
  return {
    source,
    id,
    duplicate: false,
    differs: false,
    triggers: triggers.map((trigger) => trigger.key),
  };
}

/** The deliveries of an event that was written, as the delivery engine holds them; `ids` in the unit's order. */
export function heldDeliveries(
  event: CloudEvent,
  { entrance, now: receivedAt, trace }: Arrival,
  { deliveries }: Unit,
  ids: readonly number[],
): readonly HeldDelivery[] {
  return deliveries.flatMap(({ trigger, shape, held }, i) =>
    held ? [{ id: ids[i] ?? 0, trigger, shape, event, entrance, receivedAt, attempts: 0, trace }] : [],
  );
}
