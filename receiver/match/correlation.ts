import { type Compiled, compiled } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { compileCel } from '../expression/cel.ts';
import { quoted } from '../expression/quoted.ts';
import { scopeOf } from './event-scope.ts';
import type { Clause } from './matcher.ts';

/** An event's correlation key, or why it has none: then the event does not match. */
export type Correlation =
  | { readonly ok: true; readonly key: string }
  | { readonly ok: false; readonly because: string };

/** Longest key, in characters; it is stored with each instance and looked up with each event. */
export const MAX_KEY_LENGTH = 1024;

/**
 * Compiles a `correlate` expression (CEL over `event` and `data`, as a condition is). A key is a text, a number or a
 * boolean, and the same whether the sender wrote 7 or "7".
 */
export function compileCorrelation(
  source: string,
  path: string,
): Compiled<(event: CloudEvent) => Correlation> {
  const program = compileCel(source, path, { result: 'any', variables: ['event', 'data'] });
  if (!program.ok) return program;
  const run = program.value;
  return compiled((event) => {
    const outcome = run(scopeOf(event));
    return outcome.ok ? keyOf(outcome.value) : none(`correlate fails: ${outcome.error}`);
  });
}

/** What came of the `correlate` at `field`, as explain tells it. */
export function keyClause(key: Correlation, field: string): Clause {
  return { field, met: key.ok, because: key.ok ? `the key is ${quoted(key.key)}` : key.because };
}

function keyOf(value: unknown): Correlation {
  if (
    typeof value !== 'string' &&
    typeof value !== 'number' &&
    typeof value !== 'bigint' &&
    typeof value !== 'boolean'
  )
    return none(value === null ? 'correlate yields null' : 'correlate yields no text, number or boolean');
  if (typeof value === 'number' && !Number.isFinite(value)) return none('correlate yields no finite number');
  const key = String(value);
  if (key === '') return none('correlate yields an empty text');
  if (key.length > MAX_KEY_LENGTH) return none(`correlate yields more than ${MAX_KEY_LENGTH} characters`);
  return { ok: true, key };
}

function none(because: string): Correlation {
  return { ok: false, because };
}
