import type { HeldDelivery } from './deliver/engine-contract.ts';
import { heldUp } from './deliver/held-up.ts';
import type { CloudEvent } from './event/event.ts';
import { dedupKey, fingerprint } from './journal/dedup-key.ts';
import type { NewDelivery, Unit, UnitOutcome } from './journal/journal.ts';
import type { RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Dedup } from './routing/table.ts';

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
  /** What tells one sender's ids from another's; left out: the event's source. */
  readonly idSource?: (event: CloudEvent) => string;
}

/** An event and the triggers that take it. */
export interface Matched {
  readonly event: CloudEvent;
  readonly triggers: readonly RunningTrigger[];
}

/** One for each trigger; parked where the table in force says that it may not deliver now. */
export function deliveriesOf(
  { triggers }: Matched,
  { now }: Arrival,
  runtime: Pick<Runtime, 'trigger'>,
  room: boolean,
): readonly NewDelivery[] {
  return triggers.map(({ key, shape }) => {
    const entry = runtime.trigger(key)?.entry;
    const parked = entry === undefined ? undefined : heldUp(entry);
    return { trigger: key, shape: shape.hash, due: now, held: room && parked === undefined, parked };
  });
}

/** The one unit of work that an event is: its dedup key, itself, its deliveries and the answer a repeat gets. */
export function unitOf(
  { event, triggers }: Matched,
  arrival: Arrival,
  deliveries: readonly NewDelivery[],
): Unit {
  const { entrance, now, dedup, key, revision, idSource } = arrival;
  const names = JSON.stringify(triggers.map((trigger) => trigger.key));
  const proof = key === undefined ? '' : `"key":${JSON.stringify(key)},`;
  const unit = {
    event: {
      entrance,
      receivedAt: now,
      attributes: JSON.stringify(event.attributes),
      data: event.body,
      record: `{${proof}"revision":${revision},"triggers":${names}}`,
    },
    deliveries,
    answer: names,
  };
  if (!dedup.enabled) return unit;
  const unseen = {
    key: dedupKey(entrance, idSource?.(event) ?? event.source, event.id),
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
  { entrance, now: receivedAt }: Arrival,
  { deliveries }: Unit,
  ids: readonly number[],
): readonly HeldDelivery[] {
  return deliveries.flatMap(({ trigger, shape, held }, i) =>
    held ? [{ id: ids[i] ?? 0, trigger, shape, event, entrance, receivedAt, attempts: 0 }] : [],
  );
}
