import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from './parse.ts';
import type { Node } from './syntax.ts';
import { SyntaxFault } from './tokens.ts';

/** A node as it would be written with every parenthesis. */
function written(node: Node): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? `'${node.value.replaceAll("'", "\\'")}'` : String(node.value);
    case 'attribute':
      return node.name;
    case 'exists':
      return `(EXISTS ${node.name})`;
    case 'not':
      return `(NOT ${written(node.operand)})`;
    case 'negate':
      return `(- ${written(node.operand)})`;
    case 'like':
      return `(${written(node.operand)} LIKE '${node.pattern}')`;
    case 'in':
      return `(${written(node.operand)} IN (${node.set.map(written).join(', ')}))`;
    case 'call':
      return `${node.name}(${node.args.map(written).join(', ')})`;
    case 'equality':
      return `(${written(node.left)} ${node.equal ? '=' : '!='} ${written(node.right)})`;
    default:
      return `(${written(node.left)} ${node.operator} ${written(node.right)})`;
  }
}

function faultOf(source: string): string {
  try {
    parse(source);
  } catch (error) {
    if (error instanceof SyntaxFault) return `${error.position}: ${error.message}`;
    throw error;
  }
  return 'parsed';
}

describe('parse', () => {
  it.each([
    // Section 3.6: unary before LIKE before IN before arithmetic before comparison before logic.
    ["NOT x LIKE 'a'", "((NOT x) LIKE 'a')"],
    ["x NOT LIKE 'a'", "(NOT (x LIKE 'a'))"],
    ['NOT EXISTS x', '(NOT (EXISTS x))'],
    ['NOT x AND y', '((NOT x) AND y)'],
    ["a + b LIKE '1'", "(a + (b LIKE '1'))"],
    ['a + b IN (1)', '(a + (b IN (1)))'],
    ['x NOT IN (1, y + 2) = TRUE', '((NOT (x IN (1, (y + 2)))) = true)'],
    ["x LIKE 'a' IN (TRUE)", "((x LIKE 'a') IN (true))"],
    ['a - b - c * d % e', '((a - b) - ((c * d) % e))'],
    ['a = b < c', '((a = b) < c)'],
    ['a < b AND c <> d', '((a < b) AND (c != d))'],
    ['-a * b', '((- a) * b)'],
    ['a = NOT b', '(a = (NOT b))'],
    // Equals from left to right, AND, OR and XOR among themselves too.
    ['a AND b OR c', '((a AND b) OR c)'],
    ['a OR b AND c', '((a OR b) AND c)'],
    ['a XOR b XOR c', '((a XOR b) XOR c)'],
    // Signs belong to a literal where no space is between.
    ['-2147483648', '-2147483648'],
    ['+5 - -5', '(5 - -5)'],
    ['4-1', '(4 - 1)'],
    ['--10', '(- -10)'],
    // Names.
    ['TYPE = Type', '(type = type)'],
    ['left = LEFT(x, 1)', '(left = LEFT(x, 1))'],
    ['concat_ws(a)', 'CONCAT_WS(a)'],
    ['CONCAT()', 'CONCAT()'],
    ['1st = b2b', '(1st = b2b)'],
    // A backslash escapes the quote around it and nothing else.
    [`'a"b\\'c\\d'`, `'a"b\\'c\\d'`],
    [`"a'b\\"c"`, `'a\\'b"c'`],
    [' (\ta\r\n) = ((b)) ', '(a = b)'],
  ])('%s is %s', (source, expected) => {
    expect(written(parse(source))).toBe(expected);
  });

  it.each([
    ['', '0: expected a value, not the end'],
    ['a =', '3: expected a value, not the end'],
    ['a b', '2: expected an operator, not "b"'],
    ['a NOT b', '2: expected an operator, not "NOT"'],
    ['(a', '0: the parenthesis that opens here is not closed'],
    ['(a, b)', '0: parentheses hold one expression here'],
    ['a = ()', '4: parentheses hold one expression here'],
    ['a)', '1: expected an operator, not ")"'],
    ['a IN b', '5: expected (, not "b"'],
    ['a IN ()', '5: IN needs at least one value'],
    ['a LIKE b', '7: expected a text as the pattern of LIKE, not "b"'],
    ['EXISTS (a)', '7: expected the name of an attribute, not "("'],
    ['EXISTS not', '7: expected the name of an attribute, not "not"'],
    ['my_ext = 1', '0: expected the name of an attribute, not "my_ext"'],
    ['F1(a)', '0: expected the name of a function, not "F1"'],
    ['a = *', '4: expected a value, not "*"'],
    ['a = + b', '4: expected a value, not "+"'],
    ["a = 'b", "4: the text that begins here has no closing '"],
    ["a = 'it''s'", `8: expected an operator, not "'s'"`],
    ['a == b', '3: expected a value, not "="'],
    ['a && b', '2: "&" means nothing here'],
    ['a = 2147483648', '4: 2147483648 does not fit into 32 bits; write it as a text'],
    [`${'('.repeat(100)}a${')'.repeat(100)}`, '64: is nested more than 64 deep'],
    [`${'NOT '.repeat(100)}a`, '256: is nested more than 64 deep'],
  ])('refuses %s', (source, fault) => {
    expect(faultOf(source)).toBe(fault);
  });

  it('takes long chains, which are not deep', () => {
    expect(parse(Array(2000).fill('a').join('+')).kind).toBe('arithmetic');
  });

  it('reads back what it wrote', () => {
    const place = { start: 0, end: 0 };
    const name = fc.constantFrom('type', 'a', 'x1', '1x');
    const text = fc.string({ unit: fc.constantFrom('a', "'", '"', '%', '_', ' ', '😀') });
    const { node } = fc.letrec<{ node: Node }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small', maxDepth: 6 },
        fc
          .oneof(text, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.boolean())
          .map((value): Node => ({ kind: 'literal', value, ...place })),
        name.map((name): Node => ({ kind: 'attribute', name, ...place })),
        name.map((name): Node => ({ kind: 'exists', name, ...place })),
        tie('node').map((operand): Node => ({ kind: 'not', operand, ...place })),
        tie('node').map((operand): Node => ({ kind: 'negate', operand, ...place })),
        tie('node').map((operand): Node => ({ kind: 'like', operand, pattern: 'a%', ...place })),
        fc
          .tuple(tie('node'), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
          .map(([operand, set]): Node => ({ kind: 'in', operand, set, ...place })),
        fc
          .array(tie('node'), { maxLength: 3 })
          .map((args): Node => ({ kind: 'call', name: 'CONCAT_WS', args, ...place })),
        fc
          .tuple(tie('node'), fc.constantFrom('=', '!=', '<', '>=', '+', '-', '%', 'AND', 'XOR'), tie('node'))
          .map(([left, operator, right]): Node => {
            if (operator === '=' || operator === '!=')
              return { kind: 'equality', equal: operator === '=', left, right, ...place };
            const kind =
              operator === '<' || operator === '>='
                ? 'ordering'
                : operator === 'AND' || operator === 'XOR'
                  ? 'logic'
                  : 'arithmetic';
            return { kind, operator, left, right, ...place } as Node;
          }),
      ),
    }));
    fc.assert(fc.property(node, (given) => written(parse(written(given))) === written(given)));
  });

  it('fails on any other text with nothing but a SyntaxFault', () => {
    const piece = fc.constantFrom(
      'a',
      '1',
      "'x'",
      'NOT ',
      ' AND ',
      '(',
      ')',
      ',',
      '=',
      '-',
      ' LIKE ',
      ' IN ',
      'EXISTS ',
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (source) => {
          faultOf(source);
        },
      ),
    );
  });
});
