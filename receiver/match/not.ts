import { compiled } from '../errors.ts';
import type { Filter } from '../routing/table.ts';
import { type Dialect, summed } from './predicate.ts';

/** `not`: the nested filter does not match. */
export const not: Dialect<Filter> = (filter, path, nested) => {
  const inner = nested(filter, path);
  if (!inner.ok) return inner;
  const predicate = inner.value;
  return compiled({
    matches: (event) => !predicate.matches(event),
    explain: (event) => {
      const clauses = predicate.explain(event);
      const matched = clauses.every((clause) => clause.met);
      const telling = matched ? clauses : clauses.filter((clause) => !clause.met);
      return [{ field: path, met: !matched, because: summed(telling) }];
    },
    anchors: [],
  });
};
