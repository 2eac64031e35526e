import fc from 'fast-check';
import { type JSONValue, query as reference } from 'json-p3';
import { describe, expect, it } from 'vitest';
import { CostExceeded, createBudget } from './budget.ts';
import { compileJsonPath } from './json-path.ts';

function select(source: string, root: unknown, steps?: number): readonly unknown[] {
  const path = compileJsonPath(source, 'spec.map', steps === undefined ? undefined : createBudget(steps));
  if (!path.ok) throw new Error(path.findings[0]?.message);
  return path.value(root);
}

/** About 1 MiB of JSON: listing its members once is all that the budget allows. */
const MANY_MEMBERS = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));

const store = {
  type: 't',
  data: { a: [1, 2, { b: 3, c: 'xy' }], o: { k: 1, 'a b': 2 }, s: 'hello' },
  list: [{ n: 1, t: 'foo' }, { n: 2, t: 'bar' }, { n: 3 }],
};

describe('compileJsonPath', () => {
  it.each([
    ['$', [store]],
    ['$.data.a[2].b', [3]],
    ['$.data.a[-1].c', ['xy']],
    ["$['data']['o']['a b']", [2]],
    ['$.nope.deeper', []],
    ['$.data.a[9]', []],
    ['$.data.s.length', []],
    ['$.data.s[0]', []],
    ['$..b', [3]],
    ['$.list[*].n', [1, 2, 3]],
    ['$.list[1:].n', [2, 3]],
    ['$.list[::-1].n', [3, 2, 1]],
    ['$.list[?@.n > 1].n', [2, 3]],
    ['$.list[?@.t].n', [1, 2]],
    ['$.list[?!@.t].n', [3]],
    ["$.list[?match(@.t, 'f.*')].n", [1]],
    ["$.list[?match(@.t, 'o')].n", []],
    ["$.list[?search(@.t, 'a')].n", [2]],
    ['$.list[?length(@.t) == 3].n', [1, 2]],
    ['$.list[?count(@.*) == 1].n', [3]],
    ['$.list[?@.n == $.data.o.k].t', ['foo']],
    ['$.list[0, 0].n', [1, 1]],
    ['$.list[?@.x == @.y].n', [1, 2, 3]],
  ])('%s', (source, expected) => {
    expect(select(source, store)).toEqual(expected);
  });

  it('counts characters, not code units, and keeps line ends out of a dot', () => {
    expect(select('$[?length(@) == 1]', ['😀', 'ab'])).toEqual(['😀']);
    expect(select("$[?match(@, 'a.b')]", ['a\rb', 'a\nb', 'axb'])).toEqual(['axb']);
    expect(select("$[?match(@, 'a[.]b')]", ['a.b', 'axb'])).toEqual(['a.b']);
  });

  it('tells an empty array from an empty object, as RFC 9535 2.3.5.2.2 has it', () => {
    expect(select('$[?@ == $.a]', { a: [], c: {} })).toEqual([[]]);
    expect(select('$[?@ == $.c]', { a: [], c: {} })).toEqual([{}]);
  });

  it('agrees with the parser’s own evaluator on any value', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const selector = fc.oneof(
      names.map((name) => `'${name}'`),
      fc.integer({ min: -3, max: 3 }).map(String),
      fc.constant('*'),
      fc
        .tuple(
          fc.integer({ min: -4, max: 4 }),
          fc.integer({ min: -4, max: 4 }),
          fc.constantFrom(1, 2, -1, -2),
        )
        .map(([start, end, step]) => `${start}:${end}:${step}`),
      fc.constantFrom(
        '::-1',
        '1:',
        ':-1',
        '?@.a',
        '?!@.a',
        '?@ > 1',
        '?@.a == @.b',
        "?@.a <= 'x' && @.b || @[0]",
      ),
      fc.constantFrom(
        '?length(@) >= 1',
        '?count(@..*) > 1',
        '?value(@.a) != 1',
        "?search(@.a, 'x')",
        '?@ == $.a',
        '?@..b',
      ),
    );
    const segment = fc.oneof(
      names.map((name) => `.${name}`),
      fc.constantFrom('.*', '..*', '..a'),
      fc.array(selector, { minLength: 1, maxLength: 2 }).map((list) => `[${list.join(',')}]`),
      selector.map((one) => `..[${one}]`),
    );
    const path = fc.array(segment, { maxLength: 3 }).map((segments) => `$${segments.join('')}`);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, false, 0, 1, 2, 'x', 'yx', ''),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('tree'), { maxLength: 4 }),
      // Never empty: the parser's evaluator takes an empty object for an empty array.
      map: fc.dictionary(names, tie('tree'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(path, tree, (source, root) => {
        expect(select(source, root, 1e9)).toEqual(reference(source, root as JSONValue).values());
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['data.a', /expected '\$'/],
    ['$.', /is no valid JSONPath/],
    ['$[?@.a', /unbalanced brackets/],
    ['$[?nope(@.a)]', /no such function/],
    ["$[?match(@.a, '(')]", /missing closing/],
    ['$[?match(@.a, @.b)]', /pattern as a text written in the path/],
    [`$.${'x'.repeat(2100)}`, /longer than 2048 characters/],
  ])('refuses %s', (source, message) => {
    const path = compileJsonPath(source, 'spec.map.type');
    expect(path.ok ? '' : path.findings[0]?.message).toMatch(message);
    expect(path.ok ? '' : path.findings[0]?.field).toBe('spec.map.type');
  });

  it.each([
    ['$..*..*..*', { l: Array(300_000).fill(7) }],
    ['$.l[?@ == $.l]', { l: Array(300_000).fill(7) }],
    ['$.l[?$.l[?@ == 1]]', { l: Array(2000).fill(7) }],
    ["$[?search(@, '^(a+)+$')]", ['a'.repeat(1 << 20)]],
    ['$..x', { l: Array.from({ length: 100_000 }, () => ({})) }],
    ['$.*', MANY_MEMBERS],
    ['$[?length($) == 1]', MANY_MEMBERS],
  ])('%s ends with its budget', (source, root) => {
    expect(() => select(source, root)).toThrow(CostExceeded);
  });

  it.each(['<', '>', '<=', '>=', '==', '!='])(
    'pays for the length of the texts that %s compares',
    (operator) => {
      const long = { a: 'x'.repeat(300_000), b: 'x'.repeat(300_000), l: Array(50).fill(7) };
      const source = `$.l[?$.a ${operator} $.b]`;
      expect(() => select(source, long)).toThrow(CostExceeded);
      expect(() => select(source, { ...long, a: 'x', b: 'x' })).not.toThrow();
    },
  );

  it('goes as deep as the data does', () => {
    let deep: unknown = { x: 1 };
    for (let i = 0; i < 10_000; i++) deep = [deep];
    expect(select('$..x', deep)).toEqual([1]);
  });
});
