import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonText, isTooDeep, scanArray, scanObject } from './json-scanner.ts';

/** JSON text with white space wherever it may be. */
const spaced = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom('', ' ', '\n\t', '\r\n  '))
  .map(([json, space]) => (space === '' ? json : JSON.stringify(JSON.parse(json), null, space)));

function membersOf(text: string): [string, string][] {
  const json = Buffer.from(text);
  const members: [string, string][] = [];
  scanObject(json, 0, (start, end, value) => {
    members.push([json.toString('utf8', start, end), json.toString('utf8', value.start, value.end)]);
  });
  return members;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the JSON scanner', () => {
  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(
        spaced,
        fc.nat(),
        fc.constantFrom(...'{}[]",:\\0.-+eE tfn\u0001x/u'),
        (text, at, character) => {
          const cut = at % (text.length + 1);
          const near = [
            text,
            text.slice(0, cut),
            text.slice(0, cut) + character + text.slice(cut),
            text.slice(0, cut) + character + text.slice(cut + 1),
            text.slice(0, cut) + text.slice(cut + 1),
          ];
          expect(near.filter((other) => isJsonText(Buffer.from(other)) !== parses(other))).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    '',
    ' ',
    '{',
    '}',
    '[',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    '{"a":}',
    '[1 2]',
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '+1',
    '"',
    '"\\x"',
    '"\\u12g4"',
    '"\\',
    '"\t"',
    'tru',
    'nul',
    'True',
    '{"a":1}}',
    '[]]',
    '1 2',
    '[}',
    '{]',
    '{"a":[}]',
    "{'a':1}",
    '\uFEFF1',
    'NaN',
    '/**/1',
    '[1',
    '{"a":1',
    '{"a":"b',
    '{,}',
    '{"a":1 "b":2}',
    '[[],[]',
    '{"a" "b"}',
  ])('refuses %s', (text) => {
    expect(isJsonText(Buffer.from(text))).toBe(false);
  });

  it('yields members and elements as the exact bytes that stand there', () => {
    expect(membersOf('{ "a" : {"b": [1,  "}"] } ,"":\n"\\"," , "ü":-1.5E+2,"n":null}')).toEqual([
      ['"a"', '{"b": [1,  "}"] }'],
      ['""', '"\\","'],
      ['"ü"', '-1.5E+2'],
      ['"n"', 'null'],
    ]);
    const json = Buffer.from('[ {"a":1} , 2,[ ]]');
    const elements: string[] = [];
    const end = scanArray(json, 0, ({ kind, start, end }) =>
      elements.push(`${kind} ${json.toString('utf8', start, end)}`),
    );
    expect(elements).toEqual(['object {"a":1}', 'number 2', 'array [ ]']);
    expect(end).toBe(json.length);
  });

  it('takes values that lie 128 deep in one another, and no deeper', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (depth: number) => Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
      expect([isJsonText(nested(128)), isTooDeep(nested(128))]).toEqual([true, false]);
      expect([isJsonText(nested(129)), isTooDeep(nested(129))]).toEqual([false, true]);
      expect([isJsonText(nested(100_000)), isTooDeep(nested(100_000))]).toEqual([false, true]);
    }
  });

  it('counts no brackets within strings, nor those that are closed', () => {
    expect(isTooDeep(Buffer.from(JSON.stringify('["\\"'.repeat(100))))).toBe(false);
    expect(isTooDeep(Buffer.from(JSON.stringify(Array.from({ length: 500 }, () => [{}]))))).toBe(false);
    expect(isTooDeep(Buffer.from('"'.repeat(301)))).toBe(false);
  });

  it('says where a text breaks', () => {
    expect(() => membersOf('{"a":1 "b":2}')).toThrow('a comma or a closing bracket is missing at byte 7');
    expect(() => membersOf('[]')).toThrow('an object is expected at byte 0');
  });
});
