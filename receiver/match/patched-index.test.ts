import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildIndex, type Indexed } from './index.ts';
import { patchIndex } from './patched-index.ts';
import { matcherOf, testEvent } from './testing.ts';

const types = fc.constantFrom('a', 'b', 'ab', 'c');
const items = fc.uniqueArray(fc.tuple(fc.nat(99), types, fc.boolean()), {
  maxLength: 12,
  selector: ([number]) => number,
});

function itemOf([number, type, exact]: readonly [number, string, boolean]): Indexed {
  const matcher = matcherOf([exact ? { exact: { type } } : { prefix: { type } }]);
  return { key: `ns/${String(number).padStart(2, '0')}`, matcher };
}

it('finds what an index of the items that are left finds, in the order of keys', () => {
  fc.assert(
    fc.property(items, fc.func(fc.boolean()), (all, choose) => {
      const made = all.map(itemOf);
      const before = made.filter((_, i) => i % 3 !== 0);
      const added = made.filter((_, i) => i % 3 === 0);
      const gone = new Set(before.filter(({ key }) => choose(key)));
      const patched = patchIndex(buildIndex(before), gone, added);
      const fresh = buildIndex([...before.filter((item) => !gone.has(item)), ...added]);
      expect(patched.size).toBe(fresh.size);
      for (const type of ['a', 'ab', 'abc', 'b', 'c', 'x']) {
        const event = testEvent({ type });
        expect(patched.match(event)).toEqual(fresh.match(event));
      }
    }),
  );
});
