import { compiled } from '../errors.ts';
import type { Filter } from '../routing/table.ts';
import { commonAnchors } from './anchors.ts';
import { compileList } from './nested-list.ts';
import { type Dialect, summed } from './predicate.ts';

/** `any`: at least one nested filter matches. */
export const any: Dialect<readonly Filter[]> = (filters, path, nested) => {
  const list = compileList(filters, path, nested);
  if (!list.ok) return list;
  const predicates = list.value;
  return compiled({
    matches: (event) => predicates.some((predicate) => predicate.matches(event)),
    explain: (event) => {
      const told = predicates.map((predicate) => predicate.explain(event));
      const fits = told.find((clauses) => clauses.every((clause) => clause.met));
      if (fits !== undefined) return [{ field: path, met: true, because: summed(fits) }];
      const unmet = told.map((clauses) => summed(clauses.filter((clause) => !clause.met)));
      return [{ field: path, met: false, because: `none of ${told.length} fits: ${unmet.join('; ')}` }];
    },
    anchors: commonAnchors(predicates.map((predicate) => predicate.anchors)),
  });
};
