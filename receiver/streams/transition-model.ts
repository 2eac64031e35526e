/*
 * The simple model that transitions are checked against: a process that sleeps in the middle of a loop, as one would
 * write it if processes lived for ever. Events are told by their type alone.
 */

export interface ModelStep {
  readonly name: string;
  readonly wait?:
    | { readonly sleep: number }
    | {
        readonly types: readonly string[];
        readonly all: boolean;
        readonly timeout?: number;
        readonly goOn: boolean;
      };
  /** The type for which its condition is false. */
  readonly unless?: string;
}

export interface ModelEvent {
  readonly id: number;
  readonly type: string;
}

export type ModelInput = { readonly now: number } & (
  | { readonly kind: 'event'; readonly event: ModelEvent }
  | { readonly kind: 'timer' }
  | { readonly kind: 'delivered' | 'dead'; readonly step: string }
  | { readonly kind: 'cancel' | 'retry' | 'skip' }
);

/** What is compared after each input. */
export interface ModelView {
  status: string;
  step: number;
  /** `step:event` of everything sent, in order. */
  readonly sent: string[];
  readonly leftover: number[];
  inbox: { readonly at: number; readonly event: ModelEvent }[];
}

export interface Bounds {
  readonly events: number;
  readonly retentionMs: number;
}

/** Runs the model up to its first pause; `view` shows how it stands. */
export function createModel(
  steps: readonly ModelStep[],
  start: ModelEvent,
  bounds: Bounds,
  startedAt: number,
) {
  const view: ModelView = { status: 'Running', step: 0, sent: [], leftover: [], inbox: [] };
  let again: ModelInput | undefined;
  let clock = startedAt;
  const wanted = new Set(
    steps.flatMap(({ wait }) => (wait !== undefined && 'types' in wait ? wait.types : [])),
  );

  function* next(): Generator<undefined, ModelInput, ModelInput> {
    const input = again ?? (yield undefined);
    again = undefined;
    clock = input.now;
    view.leftover.push(
      ...view.inbox.filter(({ at }) => at + bounds.retentionMs <= clock).map(({ event }) => event.id),
    );
    view.inbox = view.inbox.filter(({ at }) => at + bounds.retentionMs > clock);
    return input;
  }

  /** What an input does wherever the process stands: true where it ends the pause as `skip` and `cancel` do. */
  function early(input: ModelInput): void {
    if (input.kind !== 'event' || !wanted.has(input.event.type)) return;
    if (view.inbox.length < bounds.events) view.inbox.push({ at: clock, event: input.event });
  }

  type Pause = 'go' | 'skip' | 'cancel' | 'fail';

  /** The types that are still to come; an event that ends the wait becomes the one that the step runs on. */
  function waiting(wait: ModelStep['wait'], on: { event: ModelEvent }) {
    const open = wait !== undefined && 'types' in wait ? [...wait.types] : [];
    const meets = (event: ModelEvent): 'ends' | 'counts' | undefined => {
      if (!open.includes(event.type)) return undefined;
      open.splice(open.indexOf(event.type), 1);
      if (wait !== undefined && 'all' in wait && wait.all && open.length > 0) return 'counts';
      on.event = event;
      return 'ends';
    };
    return meets;
  }

  function heldEnds(meets: (event: ModelEvent) => 'ends' | 'counts' | undefined): boolean {
    for (const held of view.inbox) {
      const met = meets(held.event);
      if (met !== undefined) view.inbox = view.inbox.filter((one) => one !== held);
      if (met === 'ends') return true;
    }
    return false;
  }

  function endOf(wait: NonNullable<ModelStep['wait']>): number | undefined {
    if ('sleep' in wait) return clock + wait.sleep;
    return wait.timeout === undefined ? undefined : clock + wait.timeout;
  }

  function goesOn(wait: NonNullable<ModelStep['wait']>): boolean {
    return 'sleep' in wait || wait.goOn;
  }

  function* pause({ wait }: ModelStep, on: { event: ModelEvent }): Generator<undefined, Pause, ModelInput> {
    if (wait === undefined || ('sleep' in wait && wait.sleep === 0)) return 'go';
    const until = endOf(wait) ?? Number.POSITIVE_INFINITY;
    view.status = 'Waiting';
    const meets = waiting(wait, on);
    if (heldEnds(meets)) return 'go';
    for (;;) {
      const input = yield* next();
      if (clock >= until) {
        again = input;
        return goesOn(wait) ? 'go' : 'fail';
      }
      if (input.kind === 'cancel' || input.kind === 'skip') return input.kind;
      const met = input.kind === 'event' ? meets(input.event) : undefined;
      if (met === 'ends') return 'go';
      if (met === undefined) early(input);
    }
  }

  function* send(step: ModelStep, event: ModelEvent): Generator<undefined, Pause, ModelInput> {
    if (step.unless === event.type) return 'go';
    view.sent.push(`${step.name}:${event.id}`);
    view.status = 'Running';
    for (;;) {
      const input = yield* next();
      if (input.kind === 'delivered' && input.step === step.name) return 'go';
      if (input.kind === 'dead' && input.step === step.name) view.status = 'Blocked';
      if (input.kind === 'retry') view.status = 'Running';
      if (input.kind === 'cancel') return 'cancel';
      if (input.kind === 'skip' && view.status === 'Blocked') return 'skip';
      early(input);
    }
  }

  function over(status: string): void {
    view.status = status;
    view.leftover.push(...view.inbox.map(({ event }) => event.id));
    view.inbox = [];
  }

  const LAST = { cancel: 'Cancelled', fail: 'Failed' } as const;

  function* life(): Generator<undefined, undefined, ModelInput> {
    const on = { event: start };
    for (const step of steps) {
      const slept = yield* pause(step, on);
      const came = slept === 'go' ? yield* send(step, on.event) : slept;
      if (came === 'cancel' || came === 'fail') {
        over(LAST[came]);
        return undefined;
      }
      view.step += 1;
    }
    over('Finished');
    return undefined;
  }

  const living = life();
  living.next();
  return {
    view,
    take(input: ModelInput): void {
      living.next(input);
    },
  };
}
