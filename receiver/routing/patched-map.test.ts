import fc from 'fast-check';
import { expect, it } from 'vitest';
import { patchMap } from './patched-map.ts';

const keys = fc.integer({ min: 0, max: 900 }).map(String);
const values = fc.option(
  fc.nat(9).map((n) => ({ n })),
  { nil: undefined },
);
const rounds = fc.array(fc.array(fc.tuple(keys, values), { maxLength: 400 }), { maxLength: 6 });

it('is what a map is after the same changes, and leaves the one before as it was', () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const plain = new Map<string, object>();
      let patched: ReadonlyMap<string, object> = new Map();
      for (const changes of all) {
        const before = patched;
        const had = new Map(before);
        patched = patchMap(patched, new Map(changes));
        for (const [key, value] of new Map(changes)) {
          if (value === undefined) plain.delete(key);
          else plain.set(key, value);
        }
        expect(new Map(before)).toEqual(had);
        expect(new Map(patched)).toEqual(plain);
        expect(patched.size).toBe(plain.size);
        expect([...patched.keys()].toSorted()).toEqual([...plain.keys()].toSorted());
        for (const [key] of changes) {
          expect(patched.get(key)).toBe(plain.get(key));
          expect(patched.has(key)).toBe(plain.has(key));
        }
      }
    }),
  );
});
