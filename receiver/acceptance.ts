import { hash } from 'node:crypto';
import type { HeldDelivery } from './deliver/engine-contract.ts';
import { heldUp } from './deliver/held-up.ts';
import type { CloudEvent } from './event/event.ts';
import { jsonOfRecord, jsonOfText, jsonOfTexts } from './event/json-text.ts';
import { dedupKey, fingerprint } from './journal/dedup-key.ts';
import type { NewDelivery, Unit, UnitOutcome } from './journal/journal.ts';
import type { TraceContext } from './observe/trace-context.ts';
import type { RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Dedup } from './routing/table.ts';
import type { Asked } from './streams/calls.ts';

const NO_INSTANCES: readonly string[] = [];

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
  /** Instances of value streams that it started or met. */
  readonly instances: readonly string[];
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
  /** The span in which the request was received, where it is traced. */
  readonly trace?: TraceContext | undefined;
}

/** An event and the triggers that take it. */
export interface Matched {
  readonly event: CloudEvent;
  readonly triggers: readonly RunningTrigger[];
  /** What it asks of value streams. */
  readonly asked?: Asked | undefined;
}

/** Who took an event. */
export interface Takers {
  readonly triggers: readonly string[];
  readonly instances: readonly string[];
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

/** The triggers that send an event, which is all where no stream has to do with it. */
export function senders({ triggers }: Matched): Takers {
  return { triggers: triggers.map((trigger) => trigger.key), instances: NO_INSTANCES };
}

/**
 * The one unit of work that an event is: its dedup key, itself, its deliveries and the answer a repeat gets. `more` goes
 * into its decision record.
 */
export function unitOf(
  event: CloudEvent,
  takers: Takers,
  arrival: Arrival,
  deliveries: readonly NewDelivery[],
  more?: object,
): Unit {
  const { entrance, now, dedup, key, revision, trace, idSource } = arrival;
  const { triggers, instances } = takers;
  const names = jsonOfTexts(triggers);
  const proof = key === undefined ? '' : `"key":${jsonOfText(key)},`;
  const met = instances.length === 0 ? '' : `,"instances":${jsonOfTexts(instances)}`;
  const rest = trace === undefined && more === undefined ? '' : membersOf({ trace, ...more });
  const answer = instances.length === 0 ? names : JSON.stringify({ triggers, instances });
  const stored = {
    entrance,
    receivedAt: now,
    attributes: jsonOfRecord(event.attributes),
    data: event.body,
    record: `{${proof}"revision":${revision},"triggers":${names}${met}${rest}}`,
  };
  if (!dedup.enabled) return { event: stored, deliveries, answer };
  const unseen = {
    key: dedupKey(entrance, idSource?.(event) ?? event.source, event.id),
    fingerprint: fingerprint(event),
    expiresAt: now + dedup.windowMs,
    // An event that nobody wanted leaves its id free: sent again, it is matched anew.
    occupy: triggers.length > 0,
  };
  return { unseen, event: stored, deliveries, answer };
}

/** An object's members as they follow others in JSON; none that is undefined. */
function membersOf(object: object): string {
  const text = JSON.stringify(object);
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}

/** What the sender is told of an event that was written, or that was there already. */
export function acceptedOf({ source, id }: CloudEvent, takers: Takers, outcome: UnitOutcome): Accepted {
  if (outcome.outcome !== 'seen') return { source, id, duplicate: false, differs: false, ...takers };
  return { source, id, duplicate: true, differs: outcome.differs, ...takersIn(outcome.answer) };
}

function takersIn(answer: string): Takers {
  const read = JSON.parse(answer) as readonly string[] | Takers;
  return 'triggers' in read ? read : { triggers: read, instances: NO_INSTANCES };
}

/** The deliveries of an event that was written, as the delivery engine holds them; `ids` in the unit's order. */
export function heldDeliveries(
  event: CloudEvent,
  { entrance, now: receivedAt, trace }: Pick<Arrival, 'entrance' | 'now' | 'trace'>,
  { deliveries }: Pick<Unit, 'deliveries'>,
  ids: readonly number[],
  doomed: readonly (string | undefined)[] = [],
): readonly HeldDelivery[] {
  const all: HeldDelivery[] = [];
  for (let i = 0; i < deliveries.length; i++) {
    const { trigger, shape, held, task } = deliveries[i] as NewDelivery;
    if (!held) continue;
    const id = ids[i] ?? 0;
    const attempts = 0;
    all.push({ id, trigger, shape, event, entrance, receivedAt, attempts, trace, task, doomed: doomed[i] });
  }
  return all;
}
