import type { CloudEvent } from '../event/event.ts';
import { explainTrigger, type TriggerExplanation } from '../match/explain.ts';
import type { Matcher } from '../match/matcher.ts';
import type { RunningStream } from './running-stream.ts';
import type { NamedWait } from './stream.ts';

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
 * wait of its steps fits and has a key for; whether an instance waits for it is told by the event's record.
 */
export function explainTaker(trigger: Explained, event: CloudEvent): TriggerExplanation {
  const { key, stream } = trigger;
  if (stream === undefined) return explainTrigger(trigger, event);
  const waits = waitsOf(stream);
  const fits = ({ matches }: NamedWait): boolean => matches(event);
  const { instanceid } = event.attributes;
  if (instanceid !== undefined && instanceid !== '') {
    const takes = waits.some(fits);
    return { trigger: key, takes, no: takes ? [] : [NO_WAIT] };
  }
  const started = explainTrigger(trigger, event);
  if (started.takes) return started;
  const no = [...started.no];
  for (const wait of waits.filter(({ correlate }) => correlate !== undefined)) {
    const unmet = wait.explain(event).filter(({ met }) => !met);
    if (unmet.length === 0) return { trigger: key, takes: true, no: [] };
    no.push(...unmet.map(({ field, because }) => ({ field, because })));
  }
  if (waits.some((wait) => wait.correlate === undefined && fits(wait))) no.push(NAMES_NONE);
  return { trigger: key, takes: false, no };
}

function waitsOf({ stream: { steps } }: RunningStream): readonly NamedWait[] {
  return steps.flatMap(({ wait }) => (wait?.kind === 'events' ? wait.waits : []));
}
