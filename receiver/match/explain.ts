import type { CloudEvent } from '../event/event.ts';
import type { Clause, Matcher } from './matcher.ts';

/** Whether a trigger takes an event and, if not, what said no. */
export interface TriggerExplanation {
  /** `namespace/name` */
  readonly trigger: string;
  readonly takes: boolean;
  /** The clauses that were not met; none where it takes the event. */
  readonly no: readonly Pick<Clause, 'field' | 'because'>[];
}

/** Asks a trigger's own matcher, so that what is told is what is done. */
export function explainTrigger(
  { key, matcher }: { readonly key: string; readonly matcher: Matcher },
  event: CloudEvent,
): TriggerExplanation {
  const takes = matcher.matches(event);
  const unmet = takes ? [] : matcher.explain(event).filter(({ met }) => !met);
  return { trigger: key, takes, no: unmet.map(({ field, because }) => ({ field, because })) };
}
