import { compileCel } from '../../receiver/expression/cel.ts';
import { compileJsonPath } from '../../receiver/expression/json-path.ts';
import { compileMatcher } from '../../receiver/match/compile-matcher.ts';
import { buildIndex, type Index, type Indexed } from '../../receiver/match/index.ts';
import { matcherOf, testEvent } from '../../receiver/match/testing.ts';
import type { TriggerEntry } from '../../receiver/routing/table.ts';
import { manyRoutes } from './bench-table.ts';
import { median } from './percentile.ts';

/*
 * What filters, conditions and matching cost, in one process and in turns, and how long the worst expressions hold the
 * event loop. `node test/bench/expressions.ts` prints it alone.
 */

const ROUNDS = 15;
const EVALUATIONS = 100_000;

const CESQL = [
  "type LIKE 'com.partner.%' AND subject IN ('A-1', 'A-2')",
  "type = 'com.partner.created' AND sequence > 6",
  "region = 'eu'",
];
const CEL = [
  'data.amount > 100',
  'data.amount > 100 && data.status == "paid"',
  'data.status.matches("^pa")',
  'data.ref == "x"',
];

const EVENT = testEvent(
  { type: 'com.partner.created', subject: 'A-1', sequence: '7' },
  { amount: 4999, status: 'paid' },
);

/** Microseconds per call, the fastest of the rounds: whatever else runs on the machine only adds. */
function microseconds(calls: number, run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let i = 0; i < calls; i++) run();
    least = Math.min(least, ((performance.now() - started) * 1000) / calls);
  }
  return least;
}

function filterRows(): readonly string[] {
  const rows = [
    ...CESQL.map((cesql) => ({ kind: 'CESQL', source: cesql, matcher: matcherOf([{ cesql }]) })),
    ...CEL.map((condition) => ({ kind: 'CEL', source: condition, matcher: matcherOf({ condition }) })),
  ];
  return rows.map(({ kind, source, matcher }) => {
    const cost = microseconds(EVALUATIONS, () => matcher.matches(EVENT));
    return `| ${kind} | \`${source}\` | ${cost.toFixed(2)} µs |`;
  });
}

/** `count` triggers: 100 types, half by prefix, a tenth with a condition. */
function routes(count: number): Index<Indexed> {
  const entries = manyRoutes('http://127.0.0.1:9/', count + 1).slice(1) as readonly TriggerEntry[];
  return buildIndex(
    entries.map((entry) => {
      const matcher = compileMatcher(entry);
      if (!matcher.ok) throw new Error(JSON.stringify(matcher.findings));
      return { key: `${entry.namespace}/${entry.name}`, matcher: matcher.value };
    }),
  );
}

function eventFor(trigger: number) {
  const attributes = { type: `bench.other.t${trigger % 100}`, subject: `tenant-${trigger}` };
  const event = testEvent(attributes, { amount: 1_000_000 });
  // Parsed beforehand: it is the matching that is measured.
  void event.data;
  return event;
}

/** Microseconds to match one of `events`, round by round. */
function matching(index: Index<Indexed>, events: readonly ReturnType<typeof eventFor>[]): number {
  const passes = Math.ceil(EVALUATIONS / events.length);
  const started = performance.now();
  for (let pass = 0; pass < passes; pass++) {
    for (const event of events) if (index.match(event).length !== 1) throw new Error('not one trigger');
  }
  return ((performance.now() - started) * 1000) / (passes * events.length);
}

function matchingRows(): readonly string[] {
  const few = routes(10);
  const many = routes(10_000);
  // As many events each time: they take memory of their own.
  const ten = Array.from({ length: 512 }, (_, i) => eventFor(i % 10));
  const tenOfMany = Array.from({ length: 512 }, (_, i) => eventFor(5000 + (i % 10)));
  const spread = Array.from({ length: 512 }, (_, i) => eventFor((i * 7919) % 10_000));
  const rounds: { few: number; many: number; spread: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ few: matching(few, ten), many: matching(many, tenOfMany), spread: matching(many, spread) });
  }
  // The first rounds are the compiler's.
  const warm = rounds.slice(3);
  const of = (pick: (one: (typeof warm)[number]) => number) => median(warm.map(pick));
  const base = of((one) => one.few);
  const row = (name: string, cost: number) =>
    `| matching | ${name} | ${cost.toFixed(2)} µs (${(cost / base).toFixed(2)}×) |`;
  return [
    row('10 triggers', base),
    row(
      '10,000 triggers, events for ten of them',
      of((one) => one.many),
    ),
    row(
      '10,000 triggers, events for 512 of them',
      of((one) => one.spread),
    ),
  ];
}

/** Expressions that would run for hours, over 1 MiB of data. */
function worstRows(): readonly string[] {
  const text = 'a'.repeat(1 << 20);
  const objects = Array.from({ length: 130_000 }, () => ({ v: 7 }));
  const members = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
  const data = { s: text, l: objects, m: members, half: `${text.slice(0, 30_000)}!` };
  const scope = { event: { subject: text }, data };
  const cel = [
    'data.s.matches("^(a+)+$")',
    'data.half.matches("^(a+)+$")',
    'data.l.all(a, data.l.all(b, data.l.all(c, a.v + b.v + c.v > 0)))',
    'data.m.exists(name, name == "z")',
  ].map((source) => {
    const program = compileCel(source, 'condition', { result: 'bool', variables: ['event', 'data'] });
    if (!program.ok) throw new Error(program.findings[0]?.message);
    const run = program.value;
    return worstRow(`CEL \`${source}\``, () => {
      const outcome = run(scope);
      return outcome.ok ? String(outcome.value) : outcome.error;
    });
  });
  const paths = ['$..*..*..*', '$.data.*.*'].map((source) => {
    const path = compileJsonPath(source, 'map');
    if (!path.ok) throw new Error(path.findings[0]?.message);
    return worstRow(`JSONPath \`${source}\``, () => {
      try {
        return `${path.value({ data }).length} values`;
      } catch (error) {
        return (error as Error).message;
      }
    });
  });
  const event = testEvent({ subject: text });
  const like = matcherOf([{ cesql: `subject LIKE '%b${'a'.repeat(3000)}%'` }]);
  return [
    ...cel,
    ...paths,
    worstRow('CESQL `LIKE` of 3,000 characters', () => like.explain(event)[0]?.because ?? ''),
  ];
}

/** The median of some runs, after two for the compiler. */
function worstRow(name: string, run: () => string): string {
  const times: number[] = [];
  let said = '';
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    said = run();
    if (round > 1) times.push(performance.now() - started);
  }
  return `| 1 MiB | ${name}: ${said} | ${median(times).toFixed(1)} ms |`;
}

/** Measures expressions and matching; answers the rows of a table `what, of what, cost`. Takes about ten seconds. */
export function measureExpressions(): readonly string[] {
  return [...filterRows(), ...matchingRows(), ...worstRows()];
}

if (import.meta.main) {
  process.stdout.write(`| | | cost |\n|---|---|---|\n${measureExpressions().join('\n')}\n`);
}
