import { describe, expect, it } from 'vitest';
import { type CelOutcome, type CelScope, compileCel } from './cel.ts';

function compile(source: string, result: 'bool' | 'any' = 'any', budget?: number) {
  return compileCel(source, 'spec.condition', {
    result,
    variables: ['event', 'data'],
    ...(budget === undefined ? {} : { budget }),
  });
}

function run(source: string, scope: Partial<CelScope> = {}, budget?: number): CelOutcome {
  const program = compile(source, 'any', budget);
  if (!program.ok) throw new Error(program.findings[0]?.message);
  return program.value({ event: {}, data: null, ...scope });
}

function findingOf(source: string, result: 'bool' | 'any' = 'bool'): string {
  const program = compile(source, result);
  return program.ok ? '' : program.findings.map(({ field, message }) => `${field}: ${message}`).join('\n');
}

const data = {
  amount: 4999,
  price: 49.99,
  name: 'x',
  items: [1, 2, 3],
  tags: ['a', 'b'],
  nested: { a: 1, 'b c': 2 },
  nothing: null,
  constructor: 'odd',
};

describe('compileCel', () => {
  it.each([
    ['data.amount > 0', true],
    ['data.price > 49', true],
    ['data.amount == 4999', true],
    ['data.amount == 4999.0', true],
    ['data.amount + 1 == 5000', true],
    ['data.amount * 2 > data.price', true],
    ['1 - data.amount < 0', true],
    ['data.amount / 2 == 2499.5', true],
    ['data.amount % 2 == 1', true],
    ['7 / 2 == 3 && 7 % 2 == 1', true],
    ['data.amount in [1, 4999]', true],
    ['5 in data.items', false],
    ['"a" in data.nested', true],
    ['data.items[0] == 1 && data.nested["b c"] == 2', true],
    ['data.items == [1, 2, 3]', true],
    ['data.items != [1, 2]', true],
    ['data.nested == {"a": 1, "b c": 2}', true],
    ['data.nothing == null', true],
    ['data.name == 1', false],
    ['size(data.items) == 3 && data.tags.size() == 2 && size(data.nested) == 2 && size("äb") == 2', true],
    ['data.tags + ["c"] == ["a", "b", "c"]', true],
    ['data.name + "y" == "xy"', true],
    ['data.items.all(i, i > 0) && data.items.exists(i, i == 2) && data.items.exists_one(i, i == 2)', true],
    ['data.items.map(i, i * 2) == [2, 4, 6]', true],
    ['data.items.filter(i, i > 1) == [2, 3]', true],
    ['data.nested.exists(k, k == "b c")', true],
    ['data.amount * 1.5 > 2 && 1.5 * 2 == 3.0 && 5.5 % 2 == 1.5', true],
    ['has(data.nested.a) && !has(data.nested.z)', true],
    ['data.?nope.?deeper.orValue("q") == "q"', true],
    ['event.type == "a.b" && event["source"].startsWith("/")', true],
    ['data.name.matches("^x$") && matches(data.name, "x") && !data.name.matches("^y")', true],
    ['data.constructor == "odd"', true],
    ['duration("1h30m") > duration("PT1H") || true', true],
    ['timestamp("2026-01-01T00:00:00Z").getFullYear() == 2026', true],
    ['{"a": 1, "b": "mixed"}.b == "mixed"', true],
    ['cel.bind(x, data.amount, x + x) == 9998', true],
  ])('%s is %s', (source, expected) => {
    const event = { type: 'a.b', source: '/x' };
    const { constructor: _odd, ...usual } = data;
    const given = source.includes('constructor') ? data : usual;
    expect(run(source, { event, data: given })).toEqual({ ok: true, value: expected });
  });

  it.each([
    ['data.ref == "x"', 'no such key: ref'],
    ['event.nope == "x"', 'no such key: nope'],
    ['data.name.deeper == 1', 'no such key: deeper'],
    ['data.amount.matches("x")', 'matches() needs a text to look at'],
    ['data.items > 1', 'lists and maps have no order'],
    ['data.items * 2', 'lists and maps do not take *'],
    ['1 / 0 == 1', 'division by zero'],
    [`duration("${'1'.repeat(65)}s") > duration("1s")`, 'duration() takes at most 64 characters'],
  ])('%s fails with %s', (source, error) => {
    expect(run(source, { data })).toEqual({ ok: false, error });
  });

  it('swallows a missing member where logic allows it', () => {
    expect(run('data.ref == "x" || data.amount > 0', { data })).toEqual({ ok: true, value: true });
    expect(run('data.items.exists(i, i.ref == 1 || i == 2)', { data })).toEqual({ ok: true, value: true });
  });

  it('takes nothing but a boolean where one is wanted', () => {
    const program = compile('data.name', 'bool');
    expect(program.ok && program.value({ event: {}, data })).toEqual({
      ok: false,
      error: 'the expression yields a string, not true or false',
    });
    expect(findingOf('"text"')).toBe(
      'spec.condition: must be true or false, but the expression yields a value of type string',
    );
  });

  it.each([
    ['nope == 1', /at column 1: Unknown variable: nope/],
    ['data.a == 1 &&\n  other', /at line 2, column 3: Unknown variable: other/],
    ['1 +', /is no valid CEL at column 4/],
    ['event.type == 1', /no such overload: string == int/],
    ['foo(data)', /foo/],
    ['data.s.matches("(")', /missing closing/],
    ['data.s.matches("a(?=b)")', /invalid or unsupported/],
    ['data.s.matches("(?:[ab]{1,900}){1,3}")', /repeat|too large/],
    ['data.s.matches(data.p)', /pattern as a text written in the expression/],
    [`data.s == "${'x'.repeat(8200)}"`, /longer than 8192 characters/],
    [Array(1200).fill('1').join('+'), /maxAstNodes/],
    [`${'('.repeat(100)}1${')'.repeat(100)} == 1`, /maxDepth/],
  ])('refuses (%#)', (source, message) => {
    expect(findingOf(source)).toMatch(message);
  });

  it('names every refused pattern at once', () => {
    const program = compile('data.a.matches("(") || data.b.matches(")")', 'bool');
    expect(program.ok ? [] : program.findings).toHaveLength(2);
  });

  it('reads data only where the expression does', () => {
    const program = compile('event.type == "a"', 'bool');
    const scope = {
      event: { type: 'a' },
      get data(): unknown {
        throw new Error('data was read');
      },
    };
    expect(program.ok && program.value(scope)).toEqual({ ok: true, value: true });
  });
});

describe('the step budget', () => {
  /** A list of about 1 MiB of JSON that counts how often an element's member is read. */
  function counted() {
    let reads = 0;
    const element = {
      get v() {
        reads++;
        return 7;
      },
    };
    return { list: Array.from({ length: 150_000 }, () => element), reads: () => reads };
  }

  it('ends three nested all() over 1 MiB after a bounded number of steps', () => {
    const { list, reads } = counted();
    const source = 'data.l.all(a, data.l.all(b, data.l.all(c, a.v + b.v + c.v > 0)))';
    expect(run(source, { data: { l: list } })).toEqual({ ok: false, error: 'cost exceeded' });
    expect(reads()).toBeGreaterThan(100);
    expect(reads()).toBeLessThan(100_000);
    // A smaller budget ends sooner: it is the budget that ends it.
    const less = counted();
    run(source, { data: { l: less.list } }, 1000);
    expect(less.reads()).toBeLessThan(1000);
  });

  it.each([
    'data.l.exists(a, data.l.exists(b, data.l.exists(c, a.v + b.v + c.v < 0)))',
    'data.l.all(a, a.nope == 1 || data.l.all(b, b.nope == 1 || data.l.all(c, c.v > 0)))',
    'data.l.exists(a, a.v.nope == 1)',
    'data.l.exists(a, a.v || false)',
    'data.l.map(a, data.l.map(b, data.l.map(c, a.v)))',
    'data.l.filter(a, data.l.exists_one(b, a.v == b.v))',
    'data.l.all(a, !(a.v in data.n))',
    'data.k.exists(name, name == "z")',
    'size(data.k) == 1',
    'data.k == {"a": 1}',
    'data.s.split("a").size() == 0',
    'data.l.all(a, data.n == data.m)',
    'data.l.all(a, size(data.n + data.m) > 0)',
    'data.l.all(a, a.v != 0 && data.n.join(",") != "")',
    'data.l.all(a, timestamp("2026-01-01T00:00:00Z").getHours("Europe/Berlin") >= 0)',
  ])('%s ends with it', (source) => {
    const { list, reads } = counted();
    const n = Array.from({ length: 20_000 }, (_, i) => String(i));
    const k = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
    const outcome = run(source, { data: { l: list, n, m: [...n], k, s: 'a'.repeat(1 << 20) } });
    expect(outcome).toEqual({ ok: false, error: 'cost exceeded' });
    expect(reads()).toBeLessThan(300_000);
  });

  it('answers and matches in linear time on a pattern that makes others backtrack', () => {
    const text = `${'a'.repeat(30_000)}!`;
    expect(run("data.s.matches('^(a+)+$')", { data: { s: text } })).toEqual({ ok: true, value: false });
    expect(run("data.s.matches('^(a+)+$')", { data: { s: 'a'.repeat(1 << 20) } })).toEqual({
      ok: false,
      error: 'cost exceeded',
    });
  });

  it('refuses a text search that compares each pair of characters', () => {
    const s = 'a'.repeat(1 << 19);
    const t = `${'a'.repeat(1 << 17)}b${'a'.repeat(1 << 17)}`;
    expect(run('data.s.contains(data.t)', { data: { s, t } })).toEqual({ ok: false, error: 'cost exceeded' });
    expect(run('data.s.contains("error")', { data: { s } })).toEqual({ ok: true, value: false });
  });

  it('starts anew for each evaluation', () => {
    const program = compile('data.l.all(a, a > 0)');
    const long = { event: {}, data: { l: Array(100_000).fill(1) } };
    const short = { event: {}, data: { l: Array(1000).fill(1) } };
    if (!program.ok) throw new Error('does not compile');
    expect(program.value(long)).toEqual({ ok: false, error: 'cost exceeded' });
    expect(program.value(short)).toEqual({ ok: true, value: true });
  });

  it('reports data that is nested too deeply instead of failing', () => {
    const nested = () => {
      let value: unknown = 1;
      for (let i = 0; i < 5000; i++) value = [value];
      return value;
    };
    const outcome = run('data.a == data.b', { data: { a: nested(), b: nested() } });
    expect(outcome).toEqual({ ok: false, error: 'values are nested too deeply to compare' });
  });
});
