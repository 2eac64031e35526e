import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { Filter } from '../routing/table.ts';
import type { NestedCompiler, Predicate } from './predicate.ts';

/** Compiles the filters of an `all` or `any`; an empty list is refused, since it can only be a slip. */
export function compileList(
  filters: readonly Filter[],
  path: string,
  nested: NestedCompiler,
): Compiled<readonly Predicate[]> {
  if (filters.length === 0) return refused(path, 'lists no filter: list at least one');
  const predicates: Predicate[] = [];
  const findings: Finding[] = [];
  filters.forEach((filter, i) => {
    const result = nested(filter, `${path}[${i}]`);
    if (result.ok) predicates.push(result.value);
    else findings.push(...result.findings);
  });
  return findings.length > 0 ? { ok: false, findings } : compiled(predicates);
}
