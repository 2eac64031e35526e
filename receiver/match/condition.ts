import { type Compiled, compiled } from '../errors.ts';
import { compileCel } from '../expression/cel.ts';
import { scopeOf } from './event-scope.ts';
import type { Predicate } from './predicate.ts';

const OUTSIDE_STEPS = ['event', 'data'] as const;
const IN_STEP = ['event', 'data', 'context'] as const;

/** Compiles a `condition`, which sees `context` in a step; an error at run time is no match, and explain tells it. */
export function compileCondition(source: string, path: string, inStep: boolean = false): Compiled<Predicate> {
  const variables = inStep ? IN_STEP : OUTSIDE_STEPS;
  const program = compileCel(source, path, { result: 'bool', variables });
  if (!program.ok) return program;
  const run = program.value;
  return compiled({
    matches: (event) => {
      const outcome = run(scopeOf(event));
      return outcome.ok && outcome.value === true;
    },
    explain: (event) => {
      const outcome = run(scopeOf(event));
      const met = outcome.ok && outcome.value === true;
      const because = outcome.ok
        ? `the condition is ${String(outcome.value)}`
        : `the condition fails: ${outcome.error}`;
      return [{ field: path, met, because }];
    },
    anchors: [],
  });
}
