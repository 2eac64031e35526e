import { compileAttributes } from './attribute-dialect.ts';
import type { Dialect } from './predicate.ts';

/** `suffix`: each named attribute ends with the given text. */
export const suffix: Dialect<Readonly<Record<string, string>>> = (wanted, path) =>
  compileAttributes(wanted, path, {
    dialect: 'suffix',
    holds: (actual, value) => actual.endsWith(value),
    test: (name, value) => (event) => event.attributes[name]?.endsWith(value) ?? false,
    met: 'ends with',
    unmet: 'does not end with',
  });
