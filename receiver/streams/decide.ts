import { taskOf, UNUSED_TASK } from '../deliver/task.ts';
import { pinnedShape } from '../routing/pinned-shape.ts';
import type { RunningTrigger } from '../routing/runtime.ts';
import type { Asked, Call } from './calls.ts';
import { MAX_CONTEXT_BYTES } from './context.ts';
import { bytesOf, type Effect } from './draft.ts';
import { type Instance, isOver } from './instance.ts';
import { type Arrived, type Kept, sizeOf } from './kept.ts';
import type { Ledger } from './ledger.ts';
import { jobOf } from './meeting.ts';
import {
  boundKeyRow,
  heldKeyRow,
  instanceIn,
  instanceRow,
  jobId,
  type KeyBody,
  keyId,
  keyIn,
  streamId,
} from './rows.ts';
import type { Stream } from './stream.ts';
import { type Came, type Input, MAX_INBOX_BYTES, transition } from './transition.ts';

/** What deciding needs beside the rows. Pure as long as `newId` is. */
export interface World {
  readonly now: number;
  /** A trigger in force. */
  readonly trigger: (key: string) => RunningTrigger | undefined;
  /** A stream by the text that a row keeps. */
  readonly compile: (text: string, trigger: string) => Stream;
  readonly newId: () => string;
}

/** Why an event that names an instance is not for it. */
export type Fault = 'unknown' | 'over' | 'another stream' | 'too large';

/** What an event came to with the streams. */
export interface Taken {
  /** `namespace/name` of the streams that took it, or hold it. */
  readonly triggers: string[];
  /** Instances that it started or met. */
  readonly instances: string[];
  readonly faults: Fault[];
  /** Streams whose instance of the event's key is over: it came too late for it, and starts no other. */
  readonly stragglers: string[];
}

/** How long the end of a job is remembered that no instance has told of yet. */
const UNKNOWN_JOB_MS = 600_000;
const AS_IT_IS = pinnedShape({ sink: { format: 'binary' } });

/** One event and all streams that it concerns; `members` may be woken by an instance's id. Throws NeedRow. */
export function decideEvent(
  asked: Asked,
  { event, members }: { readonly event: Kept; readonly members: ReadonlySet<string> },
  ledger: Ledger,
  world: World,
): Taken {
  const taken: Taken = { triggers: [], instances: [], faults: [], stragglers: [] };
  const on = { ledger, world, taken, event };
  if (asked.instance !== undefined) addressed(asked.instance, members, on);
  for (const call of asked.calls) called(call, on);
  return taken;
}

/** What happens to an instance without a new event: its time, its step's delivery, a hand. Throws NeedRow. */
export function decideInput(
  id: string,
  input: Exclude<Input, { kind: 'start' | 'event' }>,
  ledger: Ledger,
  world: World,
): Came | 'unknown' {
  const row = ledger.look('instance', id);
  return row === undefined ? 'unknown' : feed(instanceIn(row), input, { ledger, world, event: undefined });
}

/** What was held for a key too long becomes dead letters. Throws NeedRow. */
export function decideStaleKey(id: string, ledger: Ledger, world: World): void {
  const row = ledger.look('key', id);
  if (row?.status !== 'Held') return;
  const trigger = id.slice(0, id.indexOf('\n'));
  const running = world.trigger(trigger);
  const retentionMs = running?.stream?.stream.inbox.retentionMs ?? 0;
  const { held } = keyIn(row);
  const stale = held.filter(({ at }) => at + retentionMs <= world.now);
  const fresh = held.filter((arrived) => !stale.includes(arrived));
  for (const { event } of stale) {
    const delivery = {
      trigger,
      shape: running?.shape ?? AS_IT_IS,
      task: UNUSED_TASK,
      doomed: 'inbox full',
    } as const;
    ledger.copies.push({ event, entrance: event.entrance, instance: undefined, delivery });
  }
  if (fresh.length === 0) ledger.remove('key', id);
  else ledger.write(heldKeyRow(id, trigger, fresh, { at: world.now, retentionMs, lapses: false }));
}

interface On {
  readonly ledger: Ledger;
  readonly world: World;
  readonly taken: Taken;
  readonly event: Kept;
}

/** The event carries an instance's id. */
function addressed(id: string, members: ReadonlySet<string>, on: On): void {
  const { ledger, world, taken, event } = on;
  const row = ledger.look('instance', id);
  if (row === undefined) {
    taken.faults.push('unknown');
    return;
  }
  const instance = instanceIn(row);
  if (!members.has(instance.trigger)) {
    taken.faults.push('another stream');
    return;
  }
  const came = feed(instance, { kind: 'event', arrived: { at: world.now, by: 'id', event } }, on);
  tell(came, instance, on);
}

function called(call: Call, on: On): void {
  const { ledger, world, taken, event } = on;
  const { trigger, keys, starts } = call;
  let ended = false;
  for (const { key, by } of keys) {
    const body = keyAt(rowOf(trigger, key, by, event), ledger);
    if (body?.instance === undefined) continue;
    const row = ledger.look('instance', body.instance);
    if (row === undefined) continue;
    const instance = instanceIn(row);
    const came = feed(instance, { kind: 'event', arrived: { at: world.now, by, event } }, on);
    if (came === 'void') ended = true;
    else if (came !== 'unwanted') {
      tell(came, instance, on);
      return;
    }
  }
  const [first] = keys;
  // A straggler starts nothing, and nothing is held for an instance that is over.
  if (ended) {
    taken.stragglers.push(trigger.key);
    return;
  }
  if (starts) start(trigger, first?.by === 'rule' ? first.key : undefined, on);
  else if (first !== undefined && isFree(rowOf(trigger, first.key, first.by, event), ledger))
    hold(trigger, first, { ...on, taken });
}

function rowOf({ key: trigger }: RunningTrigger, key: string, by: Arrived['by'], event: Kept): string {
  return by === 'job' ? jobId(trigger, event.entrance, key) : keyId(trigger, key);
}

function keyAt(id: string, ledger: Ledger): KeyBody | undefined {
  const row = ledger.look('key', id);
  return row === undefined ? undefined : keyIn(row);
}

function isFree(id: string, ledger: Ledger): boolean {
  return keyAt(id, ledger)?.instance === undefined;
}

function start(trigger: RunningTrigger, key: string | undefined, on: On): void {
  const { ledger, world, taken, event } = on;
  const running = trigger.stream;
  if (running === undefined) return;
  const arrived: Arrived = { at: world.now, by: 'rule', event };
  if (sizeOf(event) > MAX_CONTEXT_BYTES) {
    taken.faults.push('too large');
    return;
  }
  const kept = streamId(trigger.key, running.hash);
  if (ledger.look('stream', kept) === undefined) {
    ledger.write({
      kind: 'stream',
      id: kept,
      at: world.now,
      owner: trigger.key,
      status: 'Kept',
      body: running.text,
    });
  }
  const keyRow = key === undefined ? undefined : keyId(trigger.key, key);
  const held = keyRow === undefined ? [] : (keyAt(keyRow, ledger)?.held ?? []);
  const result = transition(
    running.stream,
    undefined,
    {
      kind: 'start',
      id: world.newId(),
      trigger: trigger.key,
      stream: running.hash,
      ...(key === undefined ? {} : { key }),
      arrived,
      held,
    },
    world.now,
  );
  const { instance } = result;
  ledger.create(instanceRow(running.stream, instance, world.now));
  if (keyRow !== undefined)
    ledger.write(boundKeyRow(keyRow, instance, running.stream.keyRetentionMs, world.now));
  carryOut(result.effects, instance, on);
  taken.triggers.push(trigger.key);
  taken.instances.push(instance.id);
}

/** Keeps an event for a key that no instance has yet. */
function hold(
  trigger: RunningTrigger,
  { key, by }: Call['keys'][number],
  { ledger, world, taken, event }: On,
): void {
  const running = trigger.stream;
  if (running === undefined) return;
  const { inbox } = running.stream;
  const id = rowOf(trigger, key, by, event);
  const before = keyAt(id, ledger)?.held ?? [];
  const held = [...before, { at: world.now, by, event }];
  const full = held.length > inbox.events || bytesOf(held) > Math.min(inbox.bytes, MAX_INBOX_BYTES);
  if (by === 'job') {
    // Most jobs of a backend are nobody's here: the event is not taken, only remembered until that is known.
    if (!full)
      ledger.write(
        heldKeyRow(id, trigger.key, held, { at: world.now, retentionMs: UNKNOWN_JOB_MS, lapses: true }),
      );
    return;
  }
  taken.triggers.push(trigger.key);
  if (full) ledger.deliveries.push(unused(trigger.key, world));
  else
    ledger.write(
      heldKeyRow(id, trigger.key, held, { at: world.now, retentionMs: inbox.retentionMs, lapses: false }),
    );
}

function unused(trigger: string, world: World) {
  const shape = world.trigger(trigger)?.shape ?? AS_IT_IS;
  return { trigger, shape, task: UNUSED_TASK, doomed: 'inbox full' } as const;
}

function tell(came: Came, { id, trigger }: Instance, { ledger, world, taken }: On): void {
  if (came === 'unwanted') return;
  if (came === 'void') taken.faults.push('over');
  else if (came === 'too large') taken.faults.push('too large');
  else {
    taken.triggers.push(trigger);
    taken.instances.push(id);
    if (came === 'full') ledger.deliveries.push(unused(trigger, world));
  }
}

type Feeding = Pick<On, 'ledger' | 'world'> & { readonly event: Kept | undefined };

/** Lets an input change an instance, with all that follows. */
function feed(instance: Instance, input: Exclude<Input, { kind: 'start' }>, on: Feeding): Came {
  const { ledger, world } = on;
  const stream = streamOf(instance, on);
  const result = transition(stream, instance, input, world.now);
  const next = result.instance;
  if (next === instance) return result.came;
  ledger.write(instanceRow(stream, next, world.now));
  if (isOver(next)) letGo(stream, instance, next, on);
  carryOut(result.effects, next, on);
  return result.came;
}

function streamOf({ trigger, stream: hash }: Instance, { ledger, world }: Feeding): Stream {
  const current = world.trigger(trigger)?.stream;
  if (current?.hash === hash) return current.stream;
  const row = ledger.look('stream', streamId(trigger, hash));
  if (row === undefined) throw new Error(`the steps ${hash} of ${trigger} are not in the journal`);
  return world.compile(row.body, trigger);
}

/** An instance that is over keeps its key for a while, and is told of no more jobs. */
function letGo(stream: Stream, before: Instance, over: Instance, { ledger, world }: Feeding): void {
  if (over.key !== undefined) {
    const id = keyId(over.trigger, over.key);
    ledger.look('key', id);
    ledger.write(boundKeyRow(id, over, stream.keyRetentionMs, world.now));
  }
  for (const { wait } of stream.steps) {
    const job = wait?.kind === 'job' ? jobOf(wait.step, before) : undefined;
    if (wait?.kind !== 'job' || job === undefined) continue;
    const id = jobId(over.trigger, wait.entrance, job);
    if (ledger.look('key', id) !== undefined) ledger.remove('key', id);
  }
}

function carryOut(effects: readonly Effect[], instance: Instance, on: Feeding): void {
  for (const effect of effects) EFFECTS[effect.kind](effect as never, instance, on);
}

const EFFECTS: {
  readonly [K in Effect['kind']]: (effect: Effect & { kind: K }, instance: Instance, on: Feeding) => void;
} = {
  send({ step, event }, { id, trigger }, { ledger, event: arrived }) {
    const delivery = {
      trigger,
      shape: step.shape,
      task: taskOf({ instance: id, step: step.name }),
      step: step.name,
    };
    if (event === arrived) ledger.deliveries.push(delivery);
    else ledger.copies.push({ event, entrance: `Instance/${trigger}`, instance: id, delivery });
  },
  leftover({ event, why }, { id, trigger }, { ledger, world }) {
    const shape = world.trigger(trigger)?.shape ?? AS_IT_IS;
    const delivery = { trigger, shape, task: UNUSED_TASK, doomed: why };
    ledger.copies.push({ event, entrance: event.entrance, instance: id, delivery });
  },
  redrive({ delivery }, { trigger }, { ledger }) {
    ledger.redriven.push({ delivery, trigger });
  },
  job({ entrance, job }, instance, on) {
    if (isOver(instance)) return;
    const { ledger, world } = on;
    const id = jobId(instance.trigger, entrance, job);
    const early = keyAt(id, ledger)?.held ?? [];
    ledger.write(boundKeyRow(id, instance, 0, world.now));
    // The job's end may have been told before the answer that named the job.
    let now = instance;
    for (const arrived of early) {
      feed(now, { kind: 'event', arrived }, on);
      const row = ledger.look('instance', instance.id);
      if (row !== undefined) now = instanceIn(row);
    }
  },
};
