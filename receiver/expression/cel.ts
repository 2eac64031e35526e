import { type Compiled, compiled, refused } from '../errors.ts';
import { createBudget } from './budget.ts';
import { environmentFor } from './cel-environment.ts';
import { meter } from './cel-meter.ts';
import type { CelNode } from './cel-nodes.ts';

/** What an expression sees: `event` (the attributes as strings), `data` (parsed JSON or null), in a step `context`. */
export interface CelScope {
  readonly event: Readonly<Record<string, string>>;
  readonly data: unknown;
  readonly context?: unknown;
}

/** An expression's outcome; a runtime error is one sentence, and never thrown. */
export type CelOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

/** A compiled expression. Never throws. */
export type CelProgram = (scope: CelScope) => CelOutcome;

export interface CelOptions {
  /** `bool`: anything but true and false is an error, at compile time where the type is known. */
  readonly result: 'bool' | 'any';
  readonly variables: readonly (keyof CelScope)[];
  /** Steps per evaluation; default STEP_BUDGET. */
  readonly budget?: number;
}

/** Longest source, in characters. */
export const MAX_CEL_LENGTH = 8192;

const TRUE: CelOutcome = { ok: true, value: true };
const FALSE: CelOutcome = { ok: true, value: false };
const COST_EXCEEDED: CelOutcome = { ok: false, error: 'cost exceeded' };

/**
 * Compiles a CEL expression (https://cel.dev) once. JSON numbers are doubles; an integer literal that meets one in
 * arithmetic becomes a double. `matches` has RE2 syntax and takes linear time. Optional access (`data.?a.?b`) works.
 * Findings: syntax, unknown variables and functions, wrong types, and patterns that are no RE2.
 */
export function compileCel(source: string, path: string, options: CelOptions): Compiled<CelProgram> {
  if (source.length > MAX_CEL_LENGTH) {
    return refused(path, `is longer than ${MAX_CEL_LENGTH} characters: shorten the expression`);
  }
  const parsed = parse(source, options.variables);
  if (typeof parsed === 'string') return refused(path, parsed);
  const { run, ast, type } = parsed;
  if (options.result === 'bool' && type !== 'bool' && type !== 'dyn') {
    return refused(path, `must be true or false, but the expression yields a value of type ${type}`);
  }
  const budget = createBudget(options.budget);
  const refusals = meter(ast, budget);
  if (refusals.length > 0) {
    return {
      ok: false,
      findings: refusals.map((refusal) => ({
        field: path,
        message: locate(refusal.message, source, refusal.pos),
      })),
    };
  }
  const outcomeOf = options.result === 'bool' ? booleanOutcome : anyOutcome;
  return compiled((scope) => {
    budget.reset();
    try {
      const value = run(scope);
      return budget.exceeded ? COST_EXCEEDED : outcomeOf(value);
    } catch (error) {
      return budget.exceeded ? COST_EXCEEDED : { ok: false, error: summaryOf(error) };
    }
  });
}

interface Parsed {
  readonly run: (scope: CelScope) => unknown;
  readonly ast: CelNode;
  readonly type: string;
}

function parse(source: string, variables: readonly (keyof CelScope)[]): Parsed | string {
  try {
    const run = environmentFor(variables.includes('context')).parse(source);
    const checked = run.check();
    if (!checked.valid) return errorAt(checked.error, source);
    return { run, ast: run.ast as unknown as CelNode, type: checked.type ?? 'dyn' };
  } catch (error) {
    return errorAt(error, source);
  }
}

function booleanOutcome(value: unknown): CelOutcome {
  if (value === true) return TRUE;
  if (value === false) return FALSE;
  return { ok: false, error: `the expression yields ${describe(value)}, not true or false` };
}

function anyOutcome(value: unknown): CelOutcome {
  return { ok: true, value };
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value === 'bigint' ? 'number' : typeof value}`;
}

interface Located {
  readonly summary?: string;
  readonly range?: { readonly start: number };
}

function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as Located).summary ?? error.message;
}

function errorAt(error: unknown, source: string): string {
  return locate(summaryOf(error), source, (error as Located | undefined)?.range?.start);
}

function locate(message: string, source: string, pos: number | undefined): string {
  if (pos === undefined) return `is no valid CEL: ${message}`;
  const before = source.slice(0, pos).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const place = before.length > 1 ? `line ${before.length}, column ${column}` : `column ${column}`;
  return `is no valid CEL at ${place}: ${message}`;
}
