import type { Finding } from '../../receiver/errors.ts';
import { compileCorrelation } from '../../receiver/match/correlation.ts';
import type { EventTriggerSpec, TriggerSource } from './resources.ts';

/*
 * What the schema takes and this version does not run yet. Every such field is told under its name and holds its
 * resource back: a field that is ignored in silence would be a route that does something else than its author wrote.
 */

interface Rule<Spec> {
  readonly field: string;
  readonly remedy: string;
  readonly used: (spec: Spec) => boolean;
}

const TRIGGER_RULES: readonly Rule<EventTriggerSpec>[] = [
  {
    field: 'spec.steps',
    remedy: 'give the trigger one spec.target',
    used: (spec) => spec.steps !== undefined,
  },
  { field: 'spec.correlate', remedy: 'remove it', used: (spec) => spec.correlate !== undefined },
  {
    field: 'spec.onStart',
    remedy: 'use Always, the default',
    used: (spec) => spec.onStart !== undefined && spec.onStart !== 'Always',
  },
  {
    field: 'spec.delivery.ordering',
    remedy: 'use None, the default',
    used: (spec) => spec.delivery?.ordering === 'PerSubject',
  },
];

/** Fields of an EventTrigger that this version does not run. */
export function triggerNotYet(spec: EventTriggerSpec): readonly Finding[] {
  return [
    ...TRIGGER_RULES.filter((rule) => rule.used(spec)).map((rule) => notYet(rule.field, rule.remedy)),
    ...(spec.from ?? []).flatMap((from, i) => sourceNotYet(from, `spec.from[${i}]`)),
    ...correlateFaults(spec.correlate),
  ];
}

/** A `correlate` that will not work once it is supported either is told now. */
function correlateFaults(correlate: string | undefined): readonly Finding[] {
  if (correlate === undefined) return [];
  const compiled = compileCorrelation(correlate, 'spec.correlate');
  return compiled.ok ? [] : compiled.findings;
}

function sourceNotYet(from: TriggerSource, field: string): readonly Finding[] {
  const findings: Finding[] = [];
  if (from.cluster?.audience !== undefined) {
    findings.push(notYet(`${field}.cluster.audience`, 'remove it and close the port by a NetworkPolicy'));
  }
  if (from.cluster?.subjects !== undefined) {
    findings.push(notYet(`${field}.cluster.subjects`, 'remove it and close the port by a NetworkPolicy'));
  }
  return findings;
}

function notYet(field: string, remedy: string): Finding {
  return { field, message: `this is not supported yet: ${remedy}` };
}
