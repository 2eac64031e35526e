import type { Arrived, Kept } from './kept.ts';

export const STATUSES = ['Running', 'Waiting', 'Blocked', 'Finished', 'Failed', 'Cancelled'] as const;

/**
 * - `Running`: a step's delivery is under way
 * - `Waiting`: asleep, for an event, a job or a time
 * - `Blocked`: a step cannot go on by itself: an operator redrives, retries, skips or cancels
 * - `Finished`, `Failed`, `Cancelled`: over
 */
export type Status = (typeof STATUSES)[number];

/** What a target answered, as later steps see it. */
export interface StepAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The answer as JSON, or null; of a job target the job object. */
  readonly data: unknown;
}

/** One line of an instance's history. */
export interface Moment {
  readonly at: number;
  readonly what:
    | 'started'
    | 'waits'
    | 'sleeps'
    | 'woke'
    | 'kept'
    | 'turned away'
    | 'sent'
    | 'answered'
    | 'skipped'
    | 'timed out'
    | 'blocked'
    | 'retried'
    | 'finished'
    | 'failed'
    | 'cancelled';
  readonly step?: string;
  /** The wait that an event met. */
  readonly wait?: string;
  readonly event?: { readonly type: string; readonly source: string; readonly id: string };
  readonly why?: string;
}

/** One running of a value stream. Immutable; `transition` makes the next one of it. */
export interface Instance {
  readonly id: string;
  /** `namespace/name` of the trigger. */
  readonly trigger: string;
  readonly key?: string;
  /** Hash of the stream that it runs, to its end. */
  readonly stream: string;
  readonly status: Status;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Position of the step that it is at. */
  readonly step: number;
  /** When it came to be as it is now. */
  readonly since: number;
  /** While it waits: when that is over by itself. */
  readonly until?: number;
  /** The names of `all` that have come. */
  readonly met: readonly string[];
  /** What it has seen, by the wait's name; `start` is the event that started it. */
  readonly events: Readonly<Record<string, Kept>>;
  /** Which of them the present step runs on. */
  readonly on: string;
  readonly answers: Readonly<Record<string, StepAnswer>>;
  /** The last step that was answered. */
  readonly last?: string;
  readonly inbox: readonly Arrived[];
  readonly blocked?: Blocked;
  readonly history: readonly Moment[];
}

/** Why an instance cannot go on. */
export interface Blocked {
  readonly reason: string;
  /** The dead letter, where there is one. */
  readonly delivery?: number;
}

/** Whether it is over. */
export function isOver({ status }: Pick<Instance, 'status'>): boolean {
  return status === 'Finished' || status === 'Failed' || status === 'Cancelled';
}
