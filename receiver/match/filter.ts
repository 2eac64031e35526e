import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { Filter } from '../routing/table.ts';
import { allOf } from './all.ts';
import { DIALECTS } from './dialects.ts';
import type { Dialect, Predicate } from './predicate.ts';

/** Compiles one filter; fails closed: what cannot be compiled is a finding and never a filter that matches all. */
export function compileFilter(filter: Filter, path: string): Compiled<Predicate> {
  const names = Object.keys(filter);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    return refused(
      path,
      `needs exactly one dialect, one of ${Object.keys(DIALECTS).join(', ')}; it has ${names.length}`,
    );
  }
  if (!Object.hasOwn(DIALECTS, name))
    return refused(`${path}.${name}`, `is no filter dialect: use one of ${Object.keys(DIALECTS).join(', ')}`);
  const dialect = DIALECTS[name as keyof Filter] as Dialect<unknown>;
  return dialect(filter[name as keyof Filter], `${path}.${name}`, compileFilter);
}

/** Compiles a list of filters, all of which must match; an empty list matches every event. */
export function compileFilters(filters: readonly Filter[], path: string): Compiled<Predicate> {
  const predicates: Predicate[] = [];
  const findings: Finding[] = [];
  filters.forEach((filter, i) => {
    const result = compileFilter(filter, `${path}[${i}]`);
    if (result.ok) predicates.push(result.value);
    else findings.push(...result.findings);
  });
  return findings.length > 0 ? { ok: false, findings } : compiled(allOf(predicates));
}
