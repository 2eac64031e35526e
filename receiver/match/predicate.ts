import type { Compiled } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Filter } from '../routing/table.ts';
import type { Anchor, Clause } from './matcher.ts';

/** One compiled filter. */
export interface Predicate {
  /** Never throws: an error is no match. */
  matches(event: CloudEvent): boolean;
  /** The same, told clause by clause; all of them met is a match. */
  explain(event: CloudEvent): readonly Clause[];
  /** Conditions that every match meets, each by itself: any one will do to file it under. */
  readonly anchors: readonly Anchor[];
}

/** Compiles one dialect's value; `path` is where it stands, `nested` compiles filters inside it. */
export type Dialect<Value> = (value: Value, path: string, nested: NestedCompiler) => Compiled<Predicate>;

export type NestedCompiler = (filter: Filter, path: string) => Compiled<Predicate>;

/** All tests in one. For the usual one or two it calls them directly: each step between costs a look into memory. */
export function every(tests: readonly Predicate['matches'][]): Predicate['matches'] {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (event) => first(event) && second(event);
  return (event) => tests.every((test) => test(event));
}

/** What a clause says of a list of unmet or met clauses. */
export function summed(clauses: readonly Clause[]): string {
  return clauses.map((clause) => clause.because).join('; ');
}
