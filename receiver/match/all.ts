import { compiled } from '../errors.ts';
import type { Filter } from '../routing/table.ts';
import { compileList } from './nested-list.ts';
import { type Dialect, every, type Predicate } from './predicate.ts';

/** `all`: every nested filter matches. */
export const all: Dialect<readonly Filter[]> = (filters, path, nested) => {
  const list = compileList(filters, path, nested);
  return list.ok ? compiled(allOf(list.value)) : list;
};

/** The conjunction of predicates; of none, it matches every event. */
export function allOf(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (only !== undefined && predicates.length === 1) return only;
  return {
    matches: every(predicates.map((predicate) => predicate.matches)),
    explain: (event) => predicates.flatMap((predicate) => predicate.explain(event)),
    anchors: predicates.flatMap((predicate) => predicate.anchors),
  };
}
