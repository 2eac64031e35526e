import { type Compiled, compiled, refused } from '../../errors.ts';
import { createBudget } from '../budget.ts';
import { compile, valueBeside } from './compile.ts';
import { parse } from './parse.ts';
import type { Node } from './syntax.ts';
import { SyntaxFault } from './tokens.ts';
import { type Attributes, type ErrorKind, Failure, type Outcome, type Value } from './value.ts';

/** A compiled CESQL expression (CloudEvents SQL Expression Language 1.0.0). */
export interface CesqlProgram {
  /** The value, or what went wrong. Never throws. `attributes` has no prototype, as `CloudEvent.attributes` has none. */
  run(attributes: Attributes): Outcome;
  /** The same with the value that stands beside an error, as the specification tells it. */
  evaluate(attributes: Attributes): CesqlResult;
  readonly root: Node;
}

export interface CesqlResult {
  readonly value: Value;
  readonly error?: { readonly kind: ErrorKind; readonly message: string };
}

/** Longest source, in characters; the schema's bound too. */
export const MAX_CESQL_LENGTH = 4096;

/** Compiles a CESQL expression once. `steps` bounds one evaluation; default STEP_BUDGET. Findings: syntax. */
export function compileCesql(source: string, path: string, steps?: number): Compiled<CesqlProgram> {
  if (source.length > MAX_CESQL_LENGTH)
    return refused(path, `is longer than ${MAX_CESQL_LENGTH} characters: shorten the expression`);
  let root: Node;
  try {
    root = parse(source);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return refused(path, `is no valid CESQL at column ${error.position + 1}: ${error.message}`);
  }
  return compiled(programOf(root, steps));
}

/** Compiles what is parsed already, such as a part of a whole. */
export function programOf(root: Node, steps?: number): CesqlProgram {
  const budget = createBudget(steps);
  const evaluate = compile(root, budget);
  const tooCostly = new Failure('generic', 'cost exceeded', root);
  const run = (attributes: Attributes): Outcome => {
    budget.reset();
    try {
      return evaluate(attributes);
    } catch (error) {
      if (budget.exceeded) return tooCostly;
      throw error;
    }
  };
  return {
    run,
    evaluate: (attributes) => {
      const outcome = run(attributes);
      if (!(outcome instanceof Failure)) return { value: outcome };
      const { kind, message } = outcome;
      return { value: valueBeside(outcome, root), error: { kind, message } };
    },
    root,
  };
}
