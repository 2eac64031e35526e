import { type Compiled, compiled } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { type CelScope, compileCel } from '../expression/cel.ts';
import type { Predicate } from './predicate.ts';

/** Compiles `spec.condition`; an error at run time is no match, and explain tells it. */
export function compileCondition(source: string, path: string): Compiled<Predicate> {
  const program = compileCel(source, path, { result: 'bool', variables: ['event', 'data'] });
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

/** Data is parsed only where the expression asks for it. */
function scopeOf(event: CloudEvent): CelScope {
  return {
    event: event.attributes,
    get data() {
      return event.data;
    },
  };
}
