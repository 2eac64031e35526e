import fc from 'fast-check';
import { expect, it } from 'vitest';
import { difference } from './difference.ts';
import { triggerEntry } from './testing.ts';

const pool = Array.from({ length: 12 }, (_, i) => triggerEntry({ name: `t${i}` }));
const lists = fc.uniqueArray(fc.constantFrom(...pool), { maxLength: 12 });

it('tells what left and what arrived, wherever it lies', () => {
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { left, arrived } = difference(before, after);
      expect(left).toEqual(before.filter((entry) => !after.includes(entry)));
      expect(arrived).toEqual(after.filter((entry) => !before.includes(entry)));
    }),
  );
});

it('goes by the object, not by what it says', () => {
  const [before, after] = [triggerEntry(), triggerEntry()];
  expect(difference([before], [after])).toEqual({ left: [before], arrived: [after] });
});
