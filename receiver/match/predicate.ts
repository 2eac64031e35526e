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

/** What a clause says of a list of unmet or met clauses. */
export function summed(clauses: readonly Clause[]): string {
  return clauses.map((clause) => clause.because).join('; ');
}
