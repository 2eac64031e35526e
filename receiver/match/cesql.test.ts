import { describe, expect, it } from 'vitest';
import { compileFilter } from './filter.ts';
import { matcherOf, testEvent } from './testing.ts';

const event = testEvent({ type: 'com.partner.created', subject: 'A-1', sequence: '7', flag: 'true' });

function told(cesql: string): string | undefined {
  const [clause] = matcherOf([{ cesql }]).explain(event);
  return clause?.because;
}

describe('cesql', () => {
  it.each([
    ["type LIKE 'com.partner.%' AND subject IN ('A-1', 'A-2')", true],
    ["type = 'com.partner.created' AND sequence > 6", true],
    ['flag = TRUE', true],
    ['EXISTS subject', true],
    ['EXISTS region', false],
    ["region = 'eu'", false],
    ["region != 'eu'", false],
    ["NOT (region = 'eu')", false],
    ['sequence / 0 = 0 OR TRUE', false],
    ["TRUE OR region = 'eu'", true],
  ])('%s: %s', (cesql, expected) => {
    const matcher = matcherOf([{ cesql }]);
    expect(matcher.matches(event)).toBe(expected);
    expect(matcher.explain(event).every((clause) => clause.met)).toBe(expected);
  });

  it('is no match on an error, so that not around it matches', () => {
    expect(matcherOf([{ not: { cesql: "region = 'eu'" } }]).matches(event)).toBe(true);
  });

  it.each([
    ["subject = 'A-1'", 'the expression is true'],
    ["subject = 'A-2'", 'subject = \'A-2\' is false: subject is "A-1"'],
    [
      "type LIKE 'com.%' AND (subject = 'A-2' OR sequence < 3)",
      '(subject = \'A-2\' OR sequence < 3) is false: subject is "A-1", sequence is "7"',
    ],
    ["subject = 'A-2' AND EXISTS type", 'subject = \'A-2\' is false: subject is "A-1"'],
    ['EXISTS region', 'EXISTS region is false'],
    ["flag AND 1 AND subject = 'A-2'", 'subject = \'A-2\' is false: subject is "A-1"'],
    ["EXISTS type AND region = 'eu'", 'the expression fails at column 17: the event has no region'],
    ['subject + 1 = 2', 'the expression fails at column 1: "A-1" is no integer'],
    ['sequence / 0 = 1', 'the expression fails at column 1: division by zero'],
    [`LENGTH(CONCAT(${Array(400).fill('type').join(', ')})) > 0`, 'the expression is true'],
  ])('tells of %s: %s', (cesql, because) => {
    expect(told(cesql)).toBe(because);
  });

  it('tells that an expression became too costly', () => {
    const long = testEvent({ subject: 'a'.repeat(1 << 20) });
    const matcher = matcherOf([{ cesql: `subject LIKE '%b${'a'.repeat(3000)}%'` }]);
    expect(matcher.matches(long)).toBe(false);
    expect(matcher.explain(long)).toEqual([
      {
        field: 'spec.filters[0].cesql',
        met: false,
        because: 'the expression fails at column 1: cost exceeded',
      },
    ]);
  });

  it.each([
    ['subject', 'yields a text, never true or false: compare it with a value'],
    ['LENGTH(subject)', 'yields a number, never true or false: compare it with a value'],
    ["NOPE(subject) = 'x'", 'is no filter at column 1: there is no function NOPE; there are ABS, '],
    ["TRUE OR LEFT(subject) = 'x'", 'is no filter at column 9: LEFT does not take 1 argument'],
    ['EXISTS data', 'is no filter at column 1: CESQL cannot see data; use spec.condition'],
    ["type = 'a' AND data = 'x'", 'is no filter at column 16: CESQL cannot see data; use spec.condition'],
    ["type == 'a'", 'is no valid CESQL at column 7: expected a value, not "="'],
  ])('refuses %s', (cesql, message) => {
    const result = compileFilter({ cesql }, 'spec.filters[0]');
    const [finding] = result.ok ? [] : result.findings;
    expect(finding?.field).toBe('spec.filters[0].cesql');
    expect(finding?.message.startsWith(message), finding?.message).toBe(true);
  });

  it('names each function that does not exist', () => {
    const result = compileFilter({ cesql: 'A(1) = B(2)' }, 'f');
    expect(result.ok ? [] : result.findings).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ["type = 'a'", [{ attribute: 'type', dialect: 'exact', values: ['a'] }]],
    ["'a' = type", [{ attribute: 'type', dialect: 'exact', values: ['a'] }]],
    ["type LIKE 'a\\_%'", [{ attribute: 'type', dialect: 'prefix', values: ['a_'] }]],
    ["type LIKE 'a_'", [{ attribute: 'type', dialect: 'prefix', values: ['a'] }]],
    ["type LIKE 'a'", [{ attribute: 'type', dialect: 'exact', values: ['a'] }]],
    ["type IN ('a', 'b', 'a')", [{ attribute: 'type', dialect: 'exact', values: ['a', 'b'] }]],
    [
      "type = 'a' AND subject LIKE 'b%' AND sequence > 3",
      [
        { attribute: 'type', dialect: 'exact', values: ['a'] },
        { attribute: 'subject', dialect: 'prefix', values: ['b'] },
      ],
    ],
    [
      "type = 'a' AND subject = 'x' OR type = 'b'",
      [{ attribute: 'type', dialect: 'exact', values: ['a', 'b'] }],
    ],
    ["type = 'a' OR subject = 'b'", []],
    ["type = 'a' XOR type = 'b'", []],
    ["type LIKE '%a'", []],
    ["type IN ('a', subject)", []],
    ['sequence = 7', []],
    ["type != 'a'", []],
    ["type NOT IN ('a')", []],
    ["LOWER(type) = 'a'", []],
    ['type = subject', []],
  ])('is filed by what it needs: %s', (cesql, anchors) => {
    expect(matcherOf([{ cesql }]).anchors).toEqual(anchors);
  });
});
