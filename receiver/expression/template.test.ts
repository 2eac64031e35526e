import { describe, expect, it } from 'vitest';
import { compileTemplate } from './template.ts';

function make(template: unknown, root: unknown): unknown {
  const result = compileTemplate(template, 'spec.map.data.template');
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return JSON.parse(JSON.stringify(result.value(root)));
}

const root = { id: '1', data: { a: 1, list: [1, 2], none: null, deep: { x: 'y' } } };

describe('compileTemplate', () => {
  it.each([
    ['$.data.a', 1],
    ['$.data.deep', { x: 'y' }],
    ['$.data.list', [1, 2]],
    ['$.data.list[*]', [1, 2]],
    ['$.data.nope', null],
    ["$['data']['a']", 1],
    ['$$.data.a', '$.data.a'],
    ['$$', '$'],
    ['$', '$'],
    ['$5', '$5'],
    ['costs $.50', 'costs $.50'],
    [null, null],
    [7, 7],
    [
      { a: ['$.id', { b: '$.data.a', c: 'text' }], d: true },
      { a: ['1', { b: 1, c: 'text' }], d: true },
    ],
    [{ constant: [1, { x: '$$x' }] }, { constant: [1, { x: '$x' }] }],
  ])('%j makes %j', (template, expected) => {
    expect(make(template, root)).toEqual(expected);
  });

  it('spends from one budget for all its paths, anew for each event', () => {
    const data = Array(30_000).fill(1);
    const template = compileTemplate(Array(20).fill('$.data[*].x'), 'spec.map.data.template');
    const fewer = compileTemplate(['$.data[*].x'], 'spec.map.data.template');
    if (!template.ok || !fewer.ok) throw new Error('does not compile');
    expect(() => template.value({ data })).toThrow('cost exceeded');
    expect(template.value({ data: [1] })).toHaveLength(20);
    for (let i = 0; i < 5; i++) expect(fewer.value({ data })).toEqual([null]);
  });

  it('keeps a member named __proto__', () => {
    const template: unknown = JSON.parse('{"__proto__": "$.id"}');
    expect(JSON.stringify(make(template, root))).toBe('{"__proto__":"1"}');
  });

  it('names each path that is none, and where it stands', () => {
    const result = compileTemplate({ a: ['$.x', '$.['], b: '$[' }, 'spec.map.data.template');
    expect(result.ok ? [] : result.findings.map(({ field }) => field)).toEqual([
      'spec.map.data.template.a[1]',
      'spec.map.data.template.b',
    ]);
  });
});
