import type { Finding } from '../errors.ts';
import { contradictionIn } from '../match/contradiction.ts';
import type { NamedWaitShape, StepShape, StreamShape } from '../routing/table.ts';

const RESERVED: ReadonlySet<string> = new Set(['start', 'steps']);

interface Named {
  readonly name: string;
  readonly field: string;
}

/** What is wrong with a stream's steps as a whole: each may be in order by itself. */
export function checkSteps({ steps, correlate }: StreamShape, path: string): readonly Finding[] {
  const findings = checkNames(steps.flatMap((step, i) => namesOf(step, `${path}.steps[${i}]`)));
  const earlier = new Map<string, StepShape>();
  steps.forEach((step, i) => {
    const at = `${path}.steps[${i}].waitFor`;
    findings.push(...checkJob(step, earlier, at), ...checkWaits(step, correlate !== undefined, at));
    earlier.set(step.name, step);
  });
  return findings;
}

/** A wait's name and a step's are one namespace, since `context` has them side by side. */
function namesOf({ name, wait }: StepShape, path: string): readonly Named[] {
  const list = (kind: 'all' | 'any', waits: readonly NamedWaitShape[] = []): readonly Named[] =>
    waits.map((one, i) => ({ name: one.name, field: `${path}.waitFor.${kind}[${i}].name` }));
  return [{ name, field: `${path}.name` }, ...list('all', wait?.all), ...list('any', wait?.any)];
}

function checkNames(names: readonly Named[]): Finding[] {
  const first = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { name, field } of names) {
    const taken = first.get(name);
    if (RESERVED.has(name))
      findings.push({ field, message: `"${name}" is a reserved name (context.${name}): choose another one` });
    else if (taken !== undefined)
      findings.push({
        field,
        message: `"${name}" is the name of ${taken} already: steps and waits need different names`,
      });
    else first.set(name, field);
  }
  return findings;
}

function checkJob(
  { wait }: StepShape,
  earlier: ReadonlyMap<string, StepShape>,
  path: string,
): readonly Finding[] {
  if (wait?.job === undefined) return [];
  const field = `${path}.job.step`;
  const step = earlier.get(wait.job.step);
  if (step === undefined) {
    return [{ field, message: `"${wait.job.step}" is no earlier step: name one that comes before this one` }];
  }
  if (step.shape.job !== undefined) return [];
  return [{ field, message: `the step "${wait.job.step}" starts no job: name one whose target is a job` }];
}

function checkWaits({ wait }: StepShape, hasKey: boolean, path: string): readonly Finding[] {
  if (wait === undefined) return [];
  const own =
    wait.filters === undefined ? [] : [{ filters: wait.filters, correlate: wait.correlate, at: path }];
  const waits = [
    ...own,
    ...(wait.all ?? []).map((one, i) => ({ ...one, at: `${path}.all[${i}]` })),
    ...(wait.any ?? []).map((one, i) => ({ ...one, at: `${path}.any[${i}]` })),
  ];
  return waits.flatMap(({ filters, correlate, at }) => {
    const never = contradictionIn(filters);
    return [
      ...(never === undefined
        ? []
        : [{ field: `${at}.filters`, message: `${never}; correct or remove one of them` }]),
      ...(correlate === undefined || hasKey
        ? []
        : [
            {
              field: `${at}.correlate`,
              message:
                'it can never match: instances have no key without spec.correlate and onStart: StartOrWake',
            },
          ]),
    ];
  });
}
