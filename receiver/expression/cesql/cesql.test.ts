import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CesqlResult, compileCesql } from './cesql.ts';
import type { Attributes, Value } from './value.ts';

function evaluate(source: string, attributes: Readonly<Record<string, Value>> = {}): CesqlResult {
  const program = compileCesql(source, 'spec.filters[0].cesql');
  if (!program.ok) throw new Error(program.findings[0]?.message);
  return program.value.evaluate(Object.assign(Object.create(null), attributes) as Attributes);
}

/** What the TCK (test/cesql-tck.test.ts) leaves open. */
describe('CESQL', () => {
  it.each<[string, Value]>([
    ['7 / 2 = 3 AND -7 / 2 = -3 AND 7 % -2 = 1 AND -7 % 2 = -1', true],
    ['FALSE AND TRUE OR TRUE', true],
    ['TRUE OR TRUE AND FALSE', false],
    ["'true' AND 'TRUE'", true],
    ["1 XOR 'false'", true],
    ["INT('+007')", 7],
    ["INT('-0') = 0 AND STRING(-0) = '0'", true],
    ["'1' = '+1' OR 1 = '+1'", false],
    ["'+1' = 1", true],
    ["BOOL('tRuE')", true],
    ["LENGTH('a😀b')", 3],
    ["LEFT('😀ab', 2)", '😀a'],
    ["RIGHT('ab😀', 2)", 'b😀'],
    ["RIGHT('abc', 0)", ''],
    ["SUBSTRING('a😀b', 2, 1)", '😀'],
    ["SUBSTRING('abc', -2)", 'bc'],
    ["SUBSTRING('', 0)", ''],
    ["SUBSTRING('abc', 2, 2147483647)", 'bc'],
    ["TRIM('\u0085\u00a0\u2003a b\ufeff\u0001 ')", 'a b\ufeff\u0001'],
    ["UPPER(LOWER('ÄB')) = 'ÄB'", true],
    ['CONCAT(1, TRUE, subject)', '1trueA-1'],
    ["CONCAT_WS('-', subject, 2)", 'A-1-2'],
    ['ABS(-2147483647)', 2147483647],
    ["subject IN ('A-2', CONCAT('A', '-1'))", true],
    ['sequence IN (8, 9)', true],
    ['sequence NOT IN (8)', true],
    ['sequence > 8 AND sequence * 2 = 18', true],
    ['EXISTS subject AND NOT EXISTS region', true],
  ])('%s is %j', (source, expected) => {
    expect(evaluate(source, { subject: 'A-1', sequence: '9' })).toEqual({ value: expected });
  });

  it.each<[string, string, Value, string]>([
    ['2147483647 + 1', 'math', 0, '2147483648 does not fit into 32 bits'],
    ['-2147483648 - 1 = 2147483647', 'math', false, '-2147483649 does not fit into 32 bits'],
    ['65536 * 65536', 'math', 0, '4294967296 does not fit into 32 bits'],
    ['-2147483648 / -1', 'math', 0, '2147483648 does not fit into 32 bits'],
    ['-(-2147483648)', 'math', 0, '2147483648 does not fit into 32 bits'],
    ['1 % 0', 'math', 0, 'division by zero'],
    ["INT('2147483648')", 'cast', 0, '"2147483648" does not fit into 32 bits'],
    ["INT(' 1')", 'cast', 0, '" 1" is no integer'],
    ["INT('')", 'cast', 0, '"" is no integer'],
    ["INT('1e3')", 'cast', 0, '"1e3" is no integer'],
    ["'x' = TRUE", 'cast', false, '"x" is neither true nor false'],
    ["1 IN ('x', '1')", 'cast', false, '"x" is no integer'],
    ["SUBSTRING('abc', 1, -1)", 'functionEvaluation', '', 'SUBSTRING: there is no text of length -1'],
    ["SUBSTRING('😀', 2)", 'functionEvaluation', '', 'SUBSTRING: the text has no position 2'],
    // Only the operation that failed keeps a value of its own; around it there is none.
    ["LEFT('abc', -1)", 'functionEvaluation', 'abc', 'LEFT: cannot take -1 characters'],
    ["CONCAT(LEFT('abc', -1), 'd')", 'functionEvaluation', '', 'LEFT: cannot take -1 characters'],
    ["LEFT('abc', -1) = 'abc'", 'functionEvaluation', false, 'LEFT: cannot take -1 characters'],
    ['nope', 'missingAttribute', false, 'the event has no nope'],
    ['LENGTH(nope)', 'missingAttribute', 0, 'the event has no nope'],
    ['constructor = 1', 'missingAttribute', false, 'the event has no constructor'],
    ['NOPE(1)', 'missingFunction', false, 'there is no function NOPE; there are ABS, BOOL, CONCAT, '],
    ['LENGTH()', 'missingFunction', false, 'LENGTH does not take 0 arguments'],
    ['LEFT(nope)', 'missingFunction', false, 'LEFT does not take 1 argument'],
  ])('%s fails: %s', (source, kind, value, message) => {
    const { value: actual, error } = evaluate(source);
    expect(error?.kind).toBe(kind);
    expect(actual).toBe(value);
    expect(error?.message.startsWith(message), error?.message).toBe(true);
  });

  it('evaluates the right operand only where it decides', () => {
    expect(evaluate('FALSE AND 1 / 0 = 1')).toEqual({ value: false });
    expect(evaluate('TRUE OR nope')).toEqual({ value: true });
    expect(evaluate('1 IN (1, nope)')).toEqual({ value: true });
    expect(evaluate('TRUE XOR nope').error?.kind).toBe('missingAttribute');
  });

  it('knows attributes of other types too', () => {
    const attributes = { flag: true, count: 7 };
    expect(evaluate('flag AND count = 7 AND count + 1 = 8', attributes)).toEqual({ value: true });
    expect(evaluate("count LIKE '7' AND flag IN ('TRUE')", attributes)).toEqual({ value: true });
  });

  it('computes as integers of 32 bits are computed, or not at all', () => {
    const integer = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
    const operations = {
      '+': (a: bigint, b: bigint) => a + b,
      '-': (a: bigint, b: bigint) => a - b,
      '*': (a: bigint, b: bigint) => a * b,
      '/': (a: bigint, b: bigint) => a / b,
      '%': (a: bigint, b: bigint) => a % b,
    };
    const operator = fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[]));
    fc.assert(
      fc.property(integer, operator, integer, (a, sign, b) => {
        const { value, error } = evaluate(`a ${sign} b`, { a: String(a), b });
        if (b === 0 && (sign === '/' || sign === '%')) {
          expect({ value, kind: error?.kind }).toEqual({ value: 0, kind: 'math' });
          return;
        }
        const right = operations[sign](BigInt(a), BigInt(b));
        const fits = right === BigInt.asIntN(32, right);
        expect(value).toBe(fits ? Number(right) : 0);
        expect(error?.kind).toBe(fits ? undefined : 'math');
      }),
      { numRuns: 1000 },
    );
  });

  it('cuts texts as their characters are counted', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ß', '😀', ' ') });
    fc.assert(
      fc.property(text, fc.nat(12), (x, n) => {
        const length = Array.from(x).length;
        expect(evaluate('LENGTH(x)', { x }).value).toBe(length);
        expect(evaluate(`CONCAT(LEFT(x, ${n}), RIGHT(x, ABS(${length} - ${n})))`, { x }).value).toBe(
          n <= length
            ? x
            : x +
                Array.from(x)
                  .slice(length - Math.min(length, n - length))
                  .join(''),
        );
        for (let i = 1; i <= length; i++) {
          expect(evaluate(`SUBSTRING(x, ${i}, 1)`, { x }).value).toBe(Array.from(x)[i - 1]);
          expect(evaluate(`SUBSTRING(x, ${i - 1 - length})`, { x }).value).toBe(
            Array.from(x)
              .slice(i - 1)
              .join(''),
          );
        }
      }),
    );
  });
});

describe('its step budget', () => {
  const long = 'a'.repeat(1 << 20);

  it.each([
    `LENGTH(LOWER(CONCAT(${Array(300).fill('x').join(', ')}))) > 0`,
    `${'UPPER(LOWER('.repeat(20)}x${'))'.repeat(20)} = x`,
    `x IN (${Array(1000).fill('y').join(', ')})`,
    `x LIKE '%b${'a'.repeat(3000)}%'`,
  ])('ends an expression over 1 MiB (%#)', (source) => {
    const { value, error } = evaluate(source, { x: long, y: `${long.slice(1)}b` });
    expect(error).toEqual({ kind: 'generic', message: 'cost exceeded' });
    expect(value).toBe(false);
  });

  it('starts anew for each evaluation', () => {
    const program = compileCesql("x LIKE '%a%b%'", 'f', 50);
    if (!program.ok) throw new Error('does not compile');
    const run = (x: string) => program.value.run(Object.assign(Object.create(null), { x }) as Attributes);
    expect(run(long)).toMatchObject({ message: 'cost exceeded' });
    expect(run('cab')).toBe(true);
  });
});

it('names the place of what is no CESQL', () => {
  const messageOf = (source: string) => {
    const program = compileCesql(source, 'spec.filters[0].cesql');
    return program.ok ? undefined : program.findings;
  };
  expect(messageOf('type = =')).toEqual([
    { field: 'spec.filters[0].cesql', message: 'is no valid CESQL at column 8: expected a value, not "="' },
  ]);
  expect(messageOf(`type = '${'x'.repeat(4096)}'`)?.[0]?.message).toContain('longer than 4096 characters');
});
