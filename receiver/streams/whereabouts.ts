import type { CloudEvent } from '../event/event.ts';
import type { Journal } from '../journal/journal.ts';
import type { RunningTrigger } from '../routing/runtime.ts';
import { askedAgain, type OlderStreams } from './calls.ts';
import type { Instance } from './instance.ts';
import type { Kept } from './kept.ts';
import { instanceIn, keyId, keyIn } from './rows.ts';

/** Where value streams have an event that they took, by now. */
export interface Whereabouts {
  /** Instances that it started or woke, or that kept it for a later step. */
  readonly instances: readonly string[];
  /** Keys that no instance has yet, for which it is held. */
  readonly held: readonly HeldForKey[];
}

/** An event that is held for the instance of a key. */
export interface HeldForKey {
  /** `namespace/name` */
  readonly trigger: string;
  readonly key: string;
  /** When it becomes a dead letter: milliseconds since the epoch. */
  readonly until: number;
}

/** An event as it came in. */
export interface CameIn {
  readonly event: CloudEvent;
  readonly entrance: string;
}

interface Parts {
  readonly journal: Pick<Journal, 'rows'>;
  readonly older: OlderStreams;
}

/** Finds it by what it asked of the triggers that took it: no row is read that it has nothing to do with. */
export async function whereaboutsOf(
  came: CameIn,
  takers: readonly RunningTrigger[],
  { journal, older }: Parts,
): Promise<Whereabouts> {
  const streams = takers.filter(({ stream }) => stream !== undefined);
  const keys = streams.flatMap((trigger) => keysOf(came.event, trigger, older));
  const keyRows = await rowsOf(
    'key',
    keys.map(({ id }) => id),
    journal,
  );
  const bodies = keyRows.map((row) => row && keyIn(row));
  const held = keys.flatMap(({ trigger, key, retentionMs }, i): readonly HeldForKey[] => {
    const arrived = bodies[i]?.held.find(({ event }) => isIt(event, came));
    return arrived === undefined ? [] : [{ trigger, key, until: arrived.at + retentionMs }];
  });
  const { instanceid } = came.event.attributes;
  const named = streams.length === 0 || instanceid === undefined ? [] : [instanceid];
  const ids = new Set([...named, ...bodies.flatMap((body) => body?.instance ?? [])]);
  const candidates = await rowsOf('instance', [...ids], journal);
  const instances = candidates.flatMap((row) => (row === undefined ? [] : [instanceIn(row)]));
  return { instances: instances.filter((one) => hasSeen(one, came)).map(({ id }) => id), held };
}

function keysOf(event: CloudEvent, trigger: RunningTrigger, older: OlderStreams) {
  const retentionMs = trigger.stream?.stream.inbox.retentionMs ?? 0;
  const calls = askedAgain(event, trigger, older)?.calls ?? [];
  return calls
    .flatMap(({ keys }) => keys)
    .filter(({ by }) => by !== 'job')
    .map(({ key }) => ({ trigger: trigger.key, key, retentionMs, id: keyId(trigger.key, key) }));
}

async function rowsOf(
  kind: string,
  ids: readonly string[],
  journal: Pick<Journal, 'rows'>,
): ReturnType<Journal['rows']> {
  return ids.length === 0 ? [] : journal.rows(kind, ids);
}

function isIt({ entrance, attributes }: Kept, came: CameIn): boolean {
  const { source, id } = came.event;
  return entrance === came.entrance && attributes['source'] === source && attributes['id'] === id;
}

/** An instance that has finished remembers its history only. */
function hasSeen({ history, inbox }: Instance, came: CameIn): boolean {
  const { source, id } = came.event;
  return (
    inbox.some(({ event }) => isIt(event, came)) ||
    history.some(({ event }) => event?.source === source && event.id === id)
  );
}
