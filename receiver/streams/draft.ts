import type { Instance, Moment } from './instance.ts';
import { isOver } from './instance.ts';
import { type Kept, sizeOf } from './kept.ts';
import type { Step, Stream } from './stream.ts';

/** Something to be done together with an instance's change, in its transaction. */
export type Effect =
  /** A delivery of a step; `event` is one of the instance's, or what just arrived. */
  | { readonly kind: 'send'; readonly step: Step; readonly event: Kept }
  /** An event that nothing waits for any more becomes a dead letter. */
  | { readonly kind: 'leftover'; readonly event: Kept; readonly why: Unused }
  /** The dead letter of the step it is at is to be delivered again. */
  | { readonly kind: 'redrive'; readonly delivery: number }
  /** From now on the instance is told of this job's end. */
  | { readonly kind: 'job'; readonly entrance: string; readonly job: string };

/** Why an event that was a stream's became a dead letter. */
export type Unused = 'inbox full' | 'no wait';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An instance on its way to its next state. Lists and maps are replaced and never changed: the old state keeps its own. */
export interface Draft {
  readonly stream: Stream;
  readonly now: number;
  readonly next: Mutable<Instance>;
  readonly effects: Effect[];
}

/** How many moments a history keeps. */
export const MOMENTS = 200;
/** An instance that is over stays listed for so long. */
export const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Adds a line to the history; of one that is too long the oldest after the start go. */
export function note(draft: Draft, moment: Omit<Moment, 'at'>): void {
  const { next, now } = draft;
  const history = [...next.history, { at: now, ...moment }];
  if (history.length > MOMENTS) history.splice(1, history.length - MOMENTS);
  next.history = history;
}

/** How a history names an event. */
export function told({ attributes }: Kept): NonNullable<Moment['event']> {
  const { type = '', source = '', id = '' } = attributes;
  return { type, source, id };
}

/** The step that it is at. */
export function stepOf({ stream, next }: Pick<Draft, 'stream' | 'next'>): Step | undefined {
  return stream.steps[next.step];
}

/** When an instance wants attention by itself: a time it waits for, or an event that it has held long enough. */
export function dueOf({ inbox: bounds }: Stream, instance: Instance): number | undefined {
  if (isOver(instance)) return undefined;
  let due = instance.status === 'Waiting' ? instance.until : undefined;
  for (const { at } of instance.inbox)
    due = Math.min(due ?? Number.POSITIVE_INFINITY, at + bounds.retentionMs);
  return due;
}

/** When a row of an instance that is over may go. */
export function expiryOf({ endedAt }: Instance): number | undefined {
  return endedAt === undefined ? undefined : endedAt + KEPT_MS;
}

/** What events take together. */
export function bytesOf(events: readonly { readonly event: Kept }[]): number {
  return events.reduce((sum, { event }) => sum + sizeOf(event), 0);
}
