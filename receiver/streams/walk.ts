import { contextOf, fits } from './context.ts';
import { type Draft, note, stepOf, told } from './draft.ts';
import { type Instance, isOver } from './instance.ts';
import { type Arrived, revive } from './kept.ts';
import { endOf, jobOf, openWait } from './meeting.ts';
import type { EventsWait, JobWait, Step, Wait } from './stream.ts';

const TOO_LARGE = 'the context would grow past 1 MiB with this event';

/** Comes to a step: it runs, or waits, or is passed over and the next one's turn. */
export function enter(draft: Draft, position: number): void {
  const { next, now } = draft;
  next.step = position;
  next.met = [];
  next.since = now;
  delete next.until;
  delete next.blocked;
  const step = stepOf(draft);
  if (step === undefined) end(draft, 'Finished');
  else if (step.wait === undefined) run(draft, step);
  else WAITS[step.wait.kind](draft, step, step.wait as never);
}

const WAITS: { readonly [K in Wait['kind']]: (draft: Draft, step: Step, wait: Wait & { kind: K }) => void } =
  {
    sleep: (draft, step, { ms }) => sleepUntil(draft, step, draft.now + ms),
    until(draft, step, { time }) {
      const until = time(present(draft.next));
      if (typeof until === 'string') block(draft, until);
      else sleepUntil(draft, step, until);
    },
    events(draft, step, wait) {
      waitFor(draft, step, wait);
      fromInbox(draft, (arrived) => meet(draft, step, wait, arrived));
    },
    job(draft, step, wait) {
      const job = jobOf(wait.step, draft.next);
      if (job === undefined) {
        block(draft, `the step ${wait.step} was answered without a job to wait for`);
        return;
      }
      waitFor(draft, step, wait);
      // The backend may know the job's end already, where an attempt was repeated.
      if (stateOf(draft.next, wait.step) === 'completed') run(draft, step);
      else jobFromInbox(draft, step, wait);
    },
  };

function stateOf({ answers }: Instance, step: string): unknown {
  return (answers[step]?.data as { readonly state?: unknown } | undefined)?.state;
}

/** The event that the present step runs on, as its expressions see it. */
function present(instance: Instance) {
  const event = instance.events[instance.on];
  if (event === undefined) throw new Error(`instance ${instance.id} runs on an event that it does not have`);
  return revive(event, contextOf(instance));
}

function sleepUntil(draft: Draft, step: Step, until: number): void {
  if (until <= draft.now) {
    run(draft, step);
    return;
  }
  draft.next.status = 'Waiting';
  draft.next.until = until;
  note(draft, { what: 'sleeps', step: step.name });
}

function waitFor({ next, now, ...draft }: Draft, step: Step, { timeoutMs }: EventsWait | JobWait): void {
  next.status = 'Waiting';
  if (timeoutMs !== undefined) next.until = now + timeoutMs;
  note({ next, now, ...draft }, { what: 'waits', step: step.name });
}

/** Offers what came early, in the order in which it came, until the wait is over. */
function fromInbox(draft: Draft, offer: (arrived: Arrived) => boolean): void {
  const { next } = draft;
  const at = next.step;
  for (const arrived of next.inbox) {
    if (next.status !== 'Waiting' || next.step !== at) return;
    const rest = next.inbox;
    next.inbox = rest.filter((one) => one !== arrived);
    if (!offer(arrived)) next.inbox = rest;
  }
}

/** A job that failed and was then completed after all is completed, whichever was told first. */
function jobFromInbox(draft: Draft, step: Step, wait: JobWait): void {
  const { next } = draft;
  const at = next.step;
  fromInbox(
    draft,
    (arrived) => endOf(wait, arrived, next) === 'completed' && jobEnded(draft, step, wait, arrived),
  );
  if (next.status === 'Waiting' && next.step === at)
    fromInbox(draft, (arrived) => jobEnded(draft, step, wait, arrived));
}

/** Lets an event meet the wait that the instance is in; false: it is not what it waits for, or does not fit. */
export function meet(draft: Draft, step: Step, wait: EventsWait, arrived: Arrived): boolean {
  const { next } = draft;
  const open = openWait(wait, arrived, next);
  if (open === undefined) return false;
  if (!remember(draft, open.name, arrived)) {
    block(draft, TOO_LARGE);
    return false;
  }
  note(draft, { what: 'woke', step: step.name, wait: open.name, event: told(arrived.event) });
  next.met = [...next.met, open.name];
  if (wait.all && next.met.length < wait.waits.length) return true;
  next.on = open.name;
  run(draft, step);
  return true;
}

/** Lets the end of the awaited job end the wait; false: the event tells of no such end, or does not fit. */
export function jobEnded(draft: Draft, step: Step, wait: JobWait, arrived: Arrived): boolean {
  const { next } = draft;
  const outcome = endOf(wait, arrived, next);
  if (outcome === undefined) return false;
  if (!remember(draft, wait.name, arrived)) {
    block(draft, TOO_LARGE);
    return false;
  }
  note(draft, { what: 'woke', step: step.name, wait: wait.name, event: told(arrived.event) });
  next.on = wait.name;
  if (outcome === 'completed') run(draft, step);
  else block(draft, `the job ${jobOf(wait.step, next) ?? ''} of the step ${wait.step} failed`);
  return true;
}

function remember({ next }: Draft, name: string, { event }: Arrived): boolean {
  const events = { ...next.events, [name]: event };
  if (!fits({ events, answers: next.answers })) return false;
  next.events = events;
  return true;
}

/** The wait, if any, is over: the step sends, or is passed over. */
export function run(draft: Draft, step: Step): void {
  const { next, now } = draft;
  delete next.until;
  const event = next.events[next.on];
  if (event === undefined) throw new Error(`instance ${next.id} runs on an event that it does not have`);
  if (step.condition !== undefined) {
    const clause = step.condition.explain(present(next))[0];
    if (clause?.met !== true) {
      note(draft, { what: 'skipped', step: step.name, why: clause?.because ?? 'the condition is not met' });
      enter(draft, next.step + 1);
      return;
    }
  }
  next.status = 'Running';
  next.since = now;
  note(draft, { what: 'sent', step: step.name });
  draft.effects.push({ kind: 'send', step, event });
}

/** It cannot go on by itself. */
export function block(draft: Draft, reason: string, delivery?: number): void {
  const { next, now } = draft;
  next.status = 'Blocked';
  next.since = now;
  delete next.until;
  next.blocked = delivery === undefined ? { reason } : { reason, delivery };
  const step = stepOf(draft)?.name;
  note(draft, { what: 'blocked', ...(step === undefined ? {} : { step }), why: reason });
}

const LAST = { Finished: 'finished', Failed: 'failed', Cancelled: 'cancelled' } as const;

/** It is over. What it still held is wanted by nobody; a finished one needs no memory either. */
export function end(draft: Draft, status: keyof typeof LAST, why?: string): void {
  const { next, now, effects } = draft;
  if (isOver(next)) return;
  next.status = status;
  next.since = now;
  next.endedAt = now;
  delete next.until;
  delete next.blocked;
  // What is told of a job is told to whoever may want it: nobody sent it to this instance.
  for (const { event, by } of next.inbox)
    if (by !== 'job') effects.push({ kind: 'leftover', event, why: 'no wait' });
  next.inbox = [];
  if (status === 'Finished') {
    next.events = {};
    next.answers = {};
  }
  note(draft, { what: LAST[status], ...(why === undefined ? {} : { why }) });
}
