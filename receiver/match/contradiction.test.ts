import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../routing/table.ts';
import { eventOf } from '../streams/testing.ts';
import { contradictionIn } from './contradiction.ts';
import { compileFilters } from './filter.ts';

describe('contradictionIn', () => {
  it.each<[readonly Filter[], string]>([
    [[{ exact: { type: 'a' } }, { exact: { type: 'b' } }], 'type would have to be "a" and "b"'],
    [[{ exact: { type: 'a' } }, { not: { exact: { type: 'a' } } }], 'something other than "a"'],
    [[{ exact: { type: 'order.paid' } }, { prefix: { type: 'stock.' } }], 'begins with "stock."'],
    [[{ all: [{ prefix: { type: 'a.' } }, { prefix: { type: 'b.' } }] }], 'begins with "b."'],
    [[{ suffix: { subject: 'x' } }, { exact: { subject: 'y' } }], 'ends with "x"'],
  ])('tells why nothing meets %j', (filters, why) => {
    expect(contradictionIn(filters)).toContain(why);
  });

  it('never says so of filters that an event meets', () => {
    const value = fc.constantFrom('a', 'ab', 'b', 'ba', 'abc');
    const attribute = fc.constantFrom('type', 'subject');
    const one = fc.oneof(
      fc
        .tuple(fc.constantFrom('exact', 'prefix', 'suffix'), attribute, value)
        .map(([dialect, name, text]) => ({
          [dialect]: { [name]: text },
        })),
      fc.tuple(attribute, value).map(([name, text]) => ({ not: { exact: { [name]: text } } })),
    ) as fc.Arbitrary<Filter>;
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), value, value, (filters, type, subject) => {
        const compiled = compileFilters(filters, 'filters');
        if (!compiled.ok || !compiled.value.matches(eventOf({ type, subject }))) return;
        expect(contradictionIn(filters)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
