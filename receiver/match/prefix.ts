import { compileAttributes } from './attribute-dialect.ts';
import type { Dialect } from './predicate.ts';

/** `prefix`: each named attribute begins with the given text. */
export const prefix: Dialect<Readonly<Record<string, string>>> = (wanted, path) =>
  compileAttributes(wanted, path, {
    dialect: 'prefix',
    holds: (actual, value) => actual.startsWith(value),
    test: (name, value) => (event) => event.attributes[name]?.startsWith(value) ?? false,
    met: 'begins with',
    unmet: 'does not begin with',
  });
