import type { CloudEvent } from '../event/event.ts';
import { explainTrigger, type TriggerExplanation } from '../match/explain.ts';
import type { Matcher } from '../match/matcher.ts';
import type { RunningStream } from './running-stream.ts';

/** A trigger as explaining it needs it. */
export interface Explained {
  readonly key: string;
  readonly matcher: Matcher;
  readonly stream: RunningStream | undefined;
}

const NO_WAIT = {
  field: 'spec.steps',
  because: 'no wait of a step fits, and an event that names an instance starts none',
};

const NAMES_NONE = {
  field: 'spec.steps',
  because:
    'a wait of a step fits, but the event names no instance to wake: it has no instanceid (header ce-instanceid)',
};

/**
 * Whether a trigger takes an event, and if not, what said no. A value stream takes one that starts an instance, or that a
 * wait of its steps fits; whether an instance waits for it is told by the event's record.
 */
export function explainTaker(trigger: Explained, event: CloudEvent): TriggerExplanation {
  const { key, stream } = trigger;
  if (stream === undefined) return explainTrigger(trigger, event);
  const { instanceid } = event.attributes;
  if (instanceid !== undefined && instanceid !== '') {
    const takes = fitsSomeWait(stream, event);
    return { trigger: key, takes, no: takes ? [] : [NO_WAIT] };
  }
  if (stream.wakes?.matches(event) === true) return { trigger: key, takes: true, no: [] };
  const started = explainTrigger(trigger, event);
  if (started.takes) return started;
  if (stream.wakes === undefined)
    return fitsSomeWait(stream, event) ? { ...started, no: [...started.no, NAMES_NONE] } : started;
  const unmet = stream.wakes.explain(event).filter(({ met }) => !met);
  return { ...started, no: [...started.no, ...unmet.map(({ field, because }) => ({ field, because }))] };
}

function fitsSomeWait({ stream: { steps } }: RunningStream, event: CloudEvent): boolean {
  return steps.some(
    ({ wait }) => wait?.kind === 'events' && wait.waits.some(({ matches }) => matches(event)),
  );
}
