import { describe, expect, it } from 'vitest';
import type { Filter } from '../routing/table.ts';
import { compileMatcher } from './compile-matcher.ts';
import { matcherOf, testEvent } from './testing.ts';

const event = testEvent(
  { type: 'a.b.c', source: '/shop/1', subject: 'order-7', region: 'eu' },
  { amount: 49.99 },
);

function findings(entry: Parameters<typeof compileMatcher>[0]): readonly string[] {
  const result = compileMatcher(entry);
  return result.ok ? [] : result.findings.map(({ field, message }) => `${field}: ${message}`);
}

const sink = { sink: { format: 'binary' } } as const;

describe('filters', () => {
  it.each<[readonly Filter[], boolean]>([
    [[], true],
    [[{ exact: { type: 'a.b.c' } }], true],
    [[{ exact: { type: 'a.b' } }], false],
    [[{ exact: { type: 'a.b.c', region: 'eu' } }], true],
    [[{ exact: { type: 'a.b.c', region: 'us' } }], false],
    [[{ exact: { nope: 'x' } }], false],
    [[{ not: { exact: { nope: 'x' } } }], true],
    [[{ prefix: { type: 'a.', source: '/shop' } }], true],
    [[{ prefix: { type: 'b' } }], false],
    [[{ suffix: { subject: '-7' } }], true],
    [[{ suffix: { subject: '-8' } }], false],
    [[{ suffix: { nope: 'x' } }], false],
    [[{ exact: { type: 'a.b.c' } }, { exact: { region: 'us' } }], false],
    [[{ all: [{ exact: { region: 'eu' } }, { prefix: { type: 'a' } }] }], true],
    [[{ all: [{ exact: { region: 'eu' } }, { prefix: { type: 'b' } }] }], false],
    [[{ any: [{ exact: { region: 'us' } }, { prefix: { type: 'a' } }] }], true],
    [[{ any: [{ exact: { region: 'us' } }, { prefix: { type: 'b' } }] }], false],
    [[{ not: { any: [{ exact: { region: 'us' } }, { prefix: { type: 'a' } }] } }], false],
    [[{ exact: { toString: 'x' } }], false],
  ])('%j: %s', (filters, expected) => {
    if (JSON.stringify(filters).includes('toString')) {
      expect(findings({ filters, shape: sink })).toHaveLength(1);
      return;
    }
    const matcher = matcherOf(filters);
    expect(matcher.matches(event)).toBe(expected);
    expect(matcher.explain(event).every((clause) => clause.met)).toBe(expected);
  });

  it('tells each clause', () => {
    const matcher = matcherOf([
      { exact: { type: 'a.b', region: 'eu', nope: 'x' } },
      { any: [{ exact: { region: 'us' } }, { suffix: { subject: '8' } }] },
      { not: { prefix: { source: '/shop' } } },
    ]);
    expect(matcher.explain(event)).toEqual([
      { field: 'spec.filters[0].exact.type', met: false, because: 'type "a.b.c" is not "a.b"' },
      { field: 'spec.filters[0].exact.region', met: true, because: 'region "eu" is "eu"' },
      { field: 'spec.filters[0].exact.nope', met: false, because: 'the event has no nope' },
      {
        field: 'spec.filters[1].any',
        met: false,
        because: 'none of 2 fits: region "eu" is not "us"; subject "order-7" does not end with "8"',
      },
      { field: 'spec.filters[2].not', met: false, because: 'source "/shop/1" begins with "/shop"' },
    ]);
  });

  it('shortens long values', () => {
    const [clause] = matcherOf([{ exact: { type: 'x' } }]).explain(testEvent({ type: 'y'.repeat(500) }));
    expect(clause?.because).toBe(`type "${'y'.repeat(100)}…" is not "x"`);
  });

  it('fails closed, naming every fault', () => {
    const filters = [
      {},
      { exact: { type: 'a' }, prefix: { type: 'a' } },
      { exact: {} },
      { prefix: { type: '' } },
      { exact: { Type: 'a', data: 'b' } },
      { any: [] },
      { all: [{ glob: { type: '*' } }] },
      { not: { cesql: 'TRUE =' } },
    ] as unknown as Filter[];
    const told = findings({ filters, shape: sink });
    expect(told.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'spec.filters[0]',
      'spec.filters[1]',
      'spec.filters[2].exact',
      'spec.filters[3].prefix.type',
      'spec.filters[4].exact.Type',
      'spec.filters[4].exact.data',
      'spec.filters[5].any',
      'spec.filters[6].all[0].glob',
      'spec.filters[7].not.cesql',
    ]);
    expect(told.at(-1)).toContain('is no valid CESQL at column 7: expected a value, not the end');
  });
});

/** Goes on for 30 million rounds. */
const LOOP = `[${'1,'.repeat(309)}1].all(a, [${'1,'.repeat(309)}1].all(b, [${'1,'.repeat(309)}1].all(c, a + b + c > 0)))`;

describe('condition', () => {
  it('is asked after the filters, and only then reads data', () => {
    const matcher = matcherOf({ filters: [{ exact: { type: 'x' } }], condition: 'data.amount > 0' });
    expect(matcher.matches(testEvent({ type: 'x' }, { amount: 1 }))).toBe(true);
    const other = testEvent({ type: 'y' }, {});
    Object.defineProperty(other, 'data', {
      get: () => {
        throw new Error('data was read');
      },
    });
    expect(matcher.matches(other)).toBe(false);
  });

  it.each([
    ['data.amount > 0', true, 'the condition is true'],
    ['data.amount < 0', false, 'the condition is false'],
    ['data.ref == "x"', false, 'the condition fails: no such key: ref'],
    ['data.amount', false, 'the condition fails: the expression yields a number, not true or false'],
    ['event.region == "eu"', true, 'the condition is true'],
    [`event.region.matches('^(e+)+$') || ${LOOP}`, false, 'the condition fails: cost exceeded'],
  ])('%s', (condition, met, because) => {
    const matcher = matcherOf({ condition });
    expect(matcher.matches(event)).toBe(met);
    expect(matcher.explain(event)).toEqual([{ field: 'spec.condition', met, because }]);
  });

  it('refuses what does not compile together with the other faults', () => {
    const told = findings({
      filters: [{ exact: {} }],
      condition: 'nope',
      shape: { job: { type: 'Bad Type' } },
    });
    expect(told).toHaveLength(3);
  });
});

describe('job type', () => {
  const shape = { job: { types: [{ eventType: 'a.b.c', jobType: 'build.start' }], stripPrefix: 'jobs.' } };

  it.each([
    ['a.b.c', true, 'the job type is "build.start"'],
    ['jobs.mail.send', true, 'the job type is "mail.send"'],
    ['jobs.', false, 'no job type for "jobs."'],
    ['other', false, 'no job type for "other"'],
  ])('%s', (type, met, because) => {
    const matcher = matcherOf({ shape });
    const given = testEvent({ type });
    expect(matcher.matches(given)).toBe(met);
    expect(matcher.explain(given)).toEqual([{ field: 'spec.target.job.types', met, because }]);
  });

  it('goes by the type that map makes', () => {
    const matcher = matcherOf({ shape: { ...shape, map: { type: { jsonPath: '$.data.kind' } } } });
    expect(matcher.matches(testEvent({ type: 'any' }, { kind: 'jobs.x' }))).toBe(true);
    expect(matcher.matches(testEvent({ type: 'jobs.x' }, { kind: 'other' }))).toBe(false);
    expect(matcher.matches(testEvent({ type: 'jobs.x' }, {}))).toBe(false);
    expect(matcher.matches(testEvent({ type: 'jobs.x' }, { kind: {} }))).toBe(false);
    expect(matcher.anchor).toBeUndefined();
  });

  it.each([
    [{ kind: 'other' }, 'no job type for "other"'],
    [{}, 'map.type fails: the path yields nothing'],
    [{ kind: {} }, 'map.type fails: the path yields no single text, number or boolean; choose one that does'],
    [{ more: Array(200_000).fill(1) }, 'map.type fails: cost exceeded'],
  ])('tells why there is none (%#)', (data, because) => {
    const matcher = matcherOf({ shape: { ...shape, map: { type: { jsonPath: '$..kind' } } } });
    const [clause] = matcher.explain(testEvent({ type: 'any' }, data));
    expect(clause).toEqual({ field: 'spec.target.job.types', met: false, because });
  });
});

describe('anchor', () => {
  it.each<[readonly Filter[], unknown]>([
    [[{ exact: { type: 'a' } }], { attribute: 'type', dialect: 'exact', values: ['a'] }],
    [
      [{ prefix: { type: 'a.' } }, { exact: { region: 'eu' } }],
      { attribute: 'region', dialect: 'exact', values: ['eu'] },
    ],
    [
      [{ any: [{ exact: { type: 'a' } }, { all: [{ exact: { type: 'b' } }, { suffix: { source: 'x' } }] }] }],
      { attribute: 'type', dialect: 'exact', values: ['a', 'b'] },
    ],
    [[{ any: [{ exact: { type: 'a' } }, { prefix: { type: 'b' } }] }], undefined],
    [[{ not: { exact: { type: 'a' } } }], undefined],
    [[{ suffix: { type: 'a' } }], undefined],
  ])('%j', (filters, anchor) => {
    expect(matcherOf(filters).anchor).toEqual(anchor);
  });
});
