import type { Finding } from '../../receiver/errors.ts';
import type { EventTriggerSpec, TriggerSource } from './resources.ts';

/*
 * What the schema takes and this version does not run yet. Every such field is told under its name and holds its
 * resource back: a field that is ignored in silence would be a route that does something else than its author wrote.
 */

/** Fields of an EventTrigger that this version does not run. */
export function triggerNotYet(spec: EventTriggerSpec): readonly Finding[] {
  return (spec.from ?? []).flatMap((from, i) => sourceNotYet(from, `spec.from[${i}]`));
}

/** An EventBridge as a whole. */
export function eventBridgeNotYet(): Finding {
  return notYet(
    'spec.source',
    'remove the EventBridge, or wait for the version that reads from a job backend',
  );
}

function sourceNotYet(from: TriggerSource, field: string): readonly Finding[] {
  const findings: Finding[] = [];
  if (from.eventBridge !== undefined)
    findings.push(notYet(`${field}.eventBridge`, 'read from a webhookSecret or cluster'));
  return findings;
}

function notYet(field: string, remedy: string): Finding {
  return { field, message: `this is not supported yet: ${remedy}` };
}
