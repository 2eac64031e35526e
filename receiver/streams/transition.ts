import { fits } from './context.ts';
import { bytesOf, type Draft, type Effect, note, stepOf, told } from './draft.ts';
import { type Instance, isOver, type StepAnswer } from './instance.ts';
import { type Arrived, sizeOf } from './kept.ts';
import { isWanted, jobOf } from './meeting.ts';
import type { Stream } from './stream.ts';
import { block, end, enter, jobEnded, meet, run } from './walk.ts';

/** What happens to an instance. */
export type Input =
  /** It begins, with what was held for its key. */
  | {
      readonly kind: 'start';
      readonly id: string;
      readonly trigger: string;
      readonly stream: string;
      readonly key?: string;
      readonly arrived: Arrived;
      readonly held: readonly Arrived[];
    }
  | { readonly kind: 'event'; readonly arrived: Arrived }
  /** A step's delivery was taken. */
  | { readonly kind: 'delivered'; readonly step: string; readonly answer: StepAnswer }
  /** A step's delivery is a dead letter. */
  | { readonly kind: 'dead'; readonly step: string; readonly delivery: number; readonly reason: string }
  /** Its time has come. */
  | { readonly kind: 'timer' }
  /** An operator's hand. */
  | { readonly kind: 'hand'; readonly action: Hand };

export type Hand = 'cancel' | 'retry' | 'skip';

/**
 * What an input came to.
 * - `changed`: it had an effect; of an event: it met a wait, or started the instance
 * - `kept`: the event waits with the instance
 * - `full`: the event is the instance's, and there is no room for it
 * - `too large`: the event does not fit into what an instance remembers
 * - `unwanted`: no step waits, or will wait, for the event
 * - `void`: the instance is past it
 */
export type Came = 'changed' | 'kept' | 'full' | 'too large' | 'unwanted' | 'void';

export interface Transition {
  readonly instance: Instance;
  readonly effects: readonly Effect[];
  readonly came: Came;
}

/**
 * What becomes of an instance. Pure: the same instance, input and time give the same, and nothing is changed in place.
 * What time alone does comes first, so that an event after a timeout finds it past, whether or not somebody looked.
 */
export function transition(
  stream: Stream,
  before: Instance | undefined,
  input: Input,
  now: number,
): Transition {
  if (input.kind === 'start') return begin(stream, input, now);
  if (before === undefined) throw new Error('only a start comes to an instance that is not there');
  const draft: Draft = { stream, now, next: { ...before }, effects: [] };
  const elapsed = passTime(draft);
  const came = REACTIONS[input.kind](draft, input as never);
  const { next, effects } = draft;
  return elapsed || came === 'changed' || came === 'kept'
    ? { instance: next, effects, came }
    : { instance: before, effects: [], came };
}

function begin(stream: Stream, input: Input & { kind: 'start' }, now: number): Transition {
  const { id, trigger, key, arrived, held } = input;
  const next: Instance = {
    id,
    trigger,
    ...(key === undefined ? {} : { key }),
    stream: input.stream,
    status: 'Running',
    startedAt: now,
    step: 0,
    since: now,
    met: [],
    events: { start: arrived.event },
    on: 'start',
    answers: {},
    inbox: held,
    history: [],
  };
  const draft: Draft = { stream, now, next, effects: [] };
  note(draft, { what: 'started', event: told(arrived.event) });
  enter(draft, 0);
  return { instance: draft.next, effects: draft.effects, came: 'changed' };
}

type Reactions = {
  readonly [K in Exclude<Input['kind'], 'start'>]: (draft: Draft, input: Input & { kind: K }) => Came;
};

const REACTIONS: Reactions = {
  timer: () => 'void',
  event: (draft, { arrived }) => receive(draft, arrived),
  delivered(draft, { step, answer }) {
    const { next } = draft;
    if (!isAt(draft, step)) return 'void';
    const answers = { ...next.answers, [step]: answer };
    const whole = fits({ events: next.events, answers });
    next.answers = whole ? answers : { ...next.answers, [step]: { status: answer.status, data: null } };
    next.last = step;
    note(draft, { what: 'answered', step, why: whole ? String(answer.status) : NOT_KEPT });
    tellOfJob(draft, step);
    enter(draft, next.step + 1);
    return 'changed';
  },
  dead(draft, { step, reason, delivery }) {
    if (!isAt(draft, step)) return 'void';
    block(draft, reason, delivery);
    return 'changed';
  },
  hand: (draft, { action }) => HANDS[action](draft),
};

const NOT_KEPT = 'the answer is not kept: the context would grow past 1 MiB';

/** Whether the step's delivery is what it waits for; a redriven dead letter is, too. */
function isAt(draft: Draft, step: string): boolean {
  const { status } = draft.next;
  return (status === 'Running' || status === 'Blocked') && stepOf(draft)?.name === step;
}

/** A job's end is told by its id, so whoever waits for it must be found by that. */
function tellOfJob({ stream, next, effects }: Draft, step: string): void {
  const job = jobOf(step, next);
  if (job === undefined) return;
  for (const { wait } of stream.steps)
    if (wait?.kind === 'job' && wait.step === step)
      effects.push({ kind: 'job', entrance: wait.entrance, job });
}

function receive(draft: Draft, arrived: Arrived): Came {
  const { next, stream } = draft;
  if (isOver(next)) return 'void';
  const { events, answers } = next;
  if (!fits({ events: { ...events, '': arrived.event }, answers })) {
    return isWanted(stream, arrived, next) ? 'too large' : 'unwanted';
  }
  const step = stepOf(draft);
  if (next.status === 'Waiting' && step !== undefined) {
    const { wait } = step;
    if (wait?.kind === 'events' && meet(draft, step, wait, arrived)) return 'changed';
    if (wait?.kind === 'job' && jobEnded(draft, step, wait, arrived)) return 'changed';
  }
  if (!isWanted(stream, arrived, next)) return 'unwanted';
  if (!hasRoom(draft, arrived)) return 'full';
  next.inbox = [...next.inbox, arrived];
  note(draft, { what: 'kept', event: told(arrived.event) });
  return 'kept';
}

/** What an inbox holds in any case: an instance is one row, and a row is 4 MiB at most. */
export const MAX_INBOX_BYTES = 2 << 20;

function hasRoom({ next: { inbox }, stream }: Draft, { event }: Arrived): boolean {
  const { events, bytes } = stream.inbox;
  return inbox.length < events && bytesOf(inbox) + sizeOf(event) <= Math.min(bytes, MAX_INBOX_BYTES);
}

/** What the clock does by itself; true: it did something. */
function passTime(draft: Draft): boolean {
  const { next, now, stream, effects } = draft;
  if (isOver(next)) return false;
  const stale = next.inbox.filter(({ at }) => at + stream.inbox.retentionMs <= now);
  if (stale.length > 0) {
    next.inbox = next.inbox.filter((arrived) => !stale.includes(arrived));
    for (const { event } of stale) {
      note(draft, {
        what: 'turned away',
        event: told(event),
        why: 'held longer than the inbox keeps events',
      });
      effects.push({ kind: 'leftover', event, why: 'inbox full' });
    }
  }
  if (next.status !== 'Waiting' || next.until === undefined || next.until > now) return stale.length > 0;
  timeUp(draft);
  return true;
}

function timeUp(draft: Draft): void {
  const step = stepOf(draft);
  if (step === undefined) return;
  const { wait, name } = step;
  if (wait?.kind !== 'events' && wait?.kind !== 'job') {
    note(draft, { what: 'woke', step: name });
    run(draft, step);
    return;
  }
  note(draft, { what: 'timed out', step: name });
  if (wait.onTimeout === 'Continue') run(draft, step);
  else end(draft, 'Failed', `the step ${name} timed out`);
}

const HANDS: Readonly<Record<Hand, (draft: Draft) => Came>> = {
  cancel(draft) {
    if (isOver(draft.next)) return 'void';
    end(draft, 'Cancelled');
    return 'changed';
  },
  retry(draft) {
    const { next, effects, now } = draft;
    if (next.status !== 'Blocked') return 'void';
    const { delivery } = next.blocked ?? {};
    const name = stepOf(draft)?.name;
    note(draft, { what: 'retried', ...(name === undefined ? {} : { step: name }) });
    if (delivery === undefined) {
      enter(draft, next.step);
      return 'changed';
    }
    effects.push({ kind: 'redrive', delivery });
    next.status = 'Running';
    next.since = now;
    delete next.blocked;
    return 'changed';
  },
  skip(draft) {
    const { next } = draft;
    if (next.status !== 'Blocked' && next.status !== 'Waiting') return 'void';
    const name = stepOf(draft)?.name;
    note(draft, { what: 'skipped', ...(name === undefined ? {} : { step: name }), why: 'by hand' });
    enter(draft, next.step + 1);
    return 'changed';
  },
};
