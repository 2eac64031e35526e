import { setImmediate as othersFirst } from 'node:timers/promises';
import { viewData } from './event/data-view.ts';
import { CloudEvent } from './event/event.ts';
import type { EventRow } from './journal/journal.ts';
import type { TriggerExplanation } from './match/explain.ts';
import type { Runtime } from './routing/runtime.ts';
import { explainTaker } from './streams/explain-stream.ts';
import type { Streams } from './streams/streams.ts';
import type { Whereabouts } from './streams/whereabouts.ts';

/** The table in force, and since when: milliseconds since the epoch. */
export interface InForce {
  readonly runtime: Pick<Runtime, 'revision' | 'readers'>;
  readonly since: number;
}

/** The part of a decision record that is computed when asked. */
export interface EventExplanation extends Whereabouts {
  readonly explainedBy: {
    /** Of the table in force now. */
    readonly revision: number;
    /** Whether it certainly is the table that decided; false also where that cannot be known, after a restart. */
    readonly decided: boolean;
  };
  /** One for each trigger that reads from the event's entrance now, by name. */
  readonly triggers: readonly TriggerExplanation[];
}

/** What was recorded when the event was accepted, as far as it is needed here. */
interface DecisionRecord {
  readonly revision?: number;
  readonly triggers: readonly string[];
  readonly instances?: readonly string[];
}

/** Triggers asked in a row, before requests that wait have their turn. */
const IN_A_ROW = 100;

/**
 * Why each trigger that reads from a stored event's entrance takes it or not, by the table in force; and where the value
 * streams that took it have it.
 */
export async function explainEvent(
  { row, data }: { readonly row: EventRow; readonly data: Uint8Array | undefined },
  { runtime, since }: InForce,
  streams: Pick<Streams, 'whereabouts'>,
): Promise<EventExplanation> {
  const event = revived(row.attributes, data);
  const record = JSON.parse(row.record) as DecisionRecord;
  const readers = runtime.readers(row.entrance).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const triggers: TriggerExplanation[] = [];
  for (const [i, trigger] of readers.entries()) {
    if (i > 0 && i % IN_A_ROW === 0) await othersFirst();
    triggers.push(explainTaker(trigger, event));
  }
  // Without a cluster, revisions count anew with each start: the number alone proves nothing of an earlier process.
  const decided = record.revision === runtime.revision && row.receivedAt >= since;
  const { instances, held } = await streams.whereabouts({ event, entrance: row.entrance }, record.triggers);
  return {
    explainedBy: { revision: runtime.revision, decided },
    triggers,
    instances: [...new Set([...(record.instances ?? []), ...instances])],
    held,
  };
}

/** The event as it was matched; `constructor` is an attribute like any other. */
function revived(attributes: string, data: Uint8Array | undefined): CloudEvent {
  const own = Object.assign(
    Object.create(null) as Record<string, string>,
    JSON.parse(attributes) as Record<string, string>,
  );
  return new CloudEvent(own, data === undefined ? undefined : Buffer.from(data), viewData);
}
