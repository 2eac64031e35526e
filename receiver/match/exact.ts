import { compileAttributes } from './attribute-dialect.ts';
import type { Dialect } from './predicate.ts';

/** `exact`: each named attribute is the given text. */
export const exact: Dialect<Readonly<Record<string, string>>> = (wanted, path) =>
  compileAttributes(wanted, path, {
    dialect: 'exact',
    holds: (actual, value) => actual === value,
    test: (name, value) => (event) => event.attributes[name] === value,
    met: 'is',
    unmet: 'is not',
  });
