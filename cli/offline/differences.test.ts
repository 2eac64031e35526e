import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differences } from './differences.ts';

it('finds nothing between a JSON value and itself, nor where more is there than was expected', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, more) => {
      expect(differences(value, structuredClone(value), 'body')).toEqual([]);
      expect(differences({ a: value }, { a: value, more }, 'body')).toEqual([]);
    }),
  );
});

it.each([
  [1, 2, 'body'],
  [{ a: { b: 1 } }, { a: { b: '1' } }, 'body.a.b'],
  [{ a: 1 }, {}, 'body.a'],
  [[1, 2], [1], 'body[1]'],
  [[1], [1, 2], 'body[1]'],
  [{ a: [] }, { a: {} }, 'body.a'],
  [{ a: null }, { a: 0 }, 'body.a'],
  [{ constructor: 1 }, {}, 'body.constructor'],
])('tells where %j is not %j', (expected, actual, path) => {
  expect(differences(expected, actual, 'body')).toMatchObject([{ path }]);
});

it('takes null for absent', () => {
  expect(differences({ a: null }, {}, 'body')).toEqual([]);
});
