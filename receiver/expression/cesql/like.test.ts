import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostExceeded, createBudget } from '../budget.ts';
import { compileLike } from './like.ts';

/** The same pattern as a regular expression, which may backtrack. */
function reference(pattern: string): RegExp {
  const source = pattern.replace(/\\[%_]|[^]/gu, (token) => {
    if (token === '%') return '[^]*';
    if (token === '_') return '[^]';
    return (/^\\[%_]$/.test(token) ? token.slice(1) : token).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'u');
}

describe('compileLike', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['_', '', false],
    ['%%', 'a', true],
    ['_%_', 'a', false],
    ['_%_', 'ab', true],
    ['_', '😀', true],
    ['__', '😀', false],
    ['_b', '😀b', true],
    ['%_b%', 'x😀b', true],
    ['a%a', 'a', false],
    ['ab%ba', 'aba', false],
    ['%a_c%', 'aab abc', true],
    ['a\\%', 'a%', true],
    ['a\\%', 'ab', false],
    ['a\\\\%', 'a\\%', true],
    ['a\\b', 'a\\b', true],
    ['A', 'a', false],
    ['.*', '.x', false],
  ])('%s takes %s: %s', (pattern, text, expected) => {
    expect(compileLike(pattern).matches(text, createBudget())).toBe(expected);
  });

  it('takes what the regular expression takes', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '.'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '.'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const like = compileLike(pattern);
        const matches = like.matches(text, createBudget());
        expect(matches).toBe(reference(pattern).test(text));
        if (like.exact !== undefined) expect(matches).toBe(text === like.exact);
        if (matches) expect(text.startsWith(like.prefix)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([`%b${'a'.repeat(3000)}%`, `%${'a'.repeat(2000)}_b%`, `%${'_'.repeat(4000)}b%`, `%a%a%a%a%b%`])(
    'ends with its budget on 1 MiB (%#)',
    (pattern) => {
      const budget = createBudget();
      expect(() => compileLike(pattern).matches('a'.repeat(1 << 20), budget)).toThrow(CostExceeded);
    },
  );

  it('takes next to nothing on a usual text', () => {
    const budget = createBudget(20);
    expect(compileLike('%.orders.%.eu_west%').matches('com.example.orders.created.eu-west-1', budget)).toBe(
      true,
    );
  });
});
