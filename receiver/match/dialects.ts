import type { Filter } from '../routing/table.ts';
import { all } from './all.ts';
import { any } from './any.ts';
import { cesql } from './cesql.ts';
import { exact } from './exact.ts';
import { not } from './not.ts';
import type { Dialect } from './predicate.ts';
import { prefix } from './prefix.ts';
import { suffix } from './suffix.ts';

/** Every filter dialect, by its name in a filter (Knative's names and meaning). */
export const DIALECTS: { readonly [Name in keyof Filter]-?: Dialect<NonNullable<Filter[Name]>> } = {
  exact,
  prefix,
  suffix,
  all,
  any,
  not,
  cesql,
};
