import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { compileCel } from '../expression/cel.ts';
import { compileCondition } from '../match/condition.ts';
import { type Correlation, compileCorrelation, keyClause } from '../match/correlation.ts';
import { scopeOf } from '../match/event-scope.ts';
import { compileFilters } from '../match/filter.ts';
import type { Clause } from '../match/matcher.ts';
import type { Predicate } from '../match/predicate.ts';
import { type PinnedShape, pinnedShape } from '../routing/pinned-shape.ts';
import type {
  InboxBounds,
  NamedWaitShape,
  StepShape,
  StreamEntry,
  StreamShape,
  WaitShape,
} from '../routing/table.ts';
import { checkSteps } from './check-steps.ts';

/** A value stream, compiled: what an instance runs from its start to its end. */
export interface Stream {
  readonly onStart: StreamShape['onStart'];
  /** The key of an event that the trigger's own filters take; with `StartOrWake` only. */
  readonly correlate: Correlate | undefined;
  readonly keyRetentionMs: number;
  readonly inbox: InboxBounds;
  readonly steps: readonly Step[];
}

export type Correlate = (event: CloudEvent) => Correlation;

export interface Step {
  readonly name: string;
  /** undefined: it runs at once. */
  readonly wait: Wait | undefined;
  /** The event carries the context. */
  readonly condition: Predicate | undefined;
  /** `Answer`: it sends the answer of the step before. */
  readonly input: StepShape['input'] | undefined;
  /** What it sends pins this. */
  readonly shape: PinnedShape;
}

/** What a step sleeps for. */
export type Wait =
  | { readonly kind: 'sleep'; readonly ms: number }
  /** The event carries the context. Yields milliseconds since the epoch, or why it cannot. */
  | { readonly kind: 'until'; readonly time: (event: CloudEvent) => number | string }
  | EventsWait
  | JobWait;

interface Timeout {
  readonly timeoutMs: number | undefined;
  readonly onTimeout: 'Fail' | 'Continue';
}

/** Events: `all` of them in any order, or the first that comes. */
export interface EventsWait extends Timeout {
  readonly kind: 'events';
  readonly all: boolean;
  readonly waits: readonly NamedWait[];
}

/** The end of an earlier step's job. */
export interface JobWait extends Timeout {
  readonly kind: 'job';
  readonly name: string;
  readonly step: string;
  /** `EventBridge/namespace/name` */
  readonly entrance: string;
}

export interface NamedWait {
  readonly name: string;
  readonly matches: (event: CloudEvent) => boolean;
  /** undefined: by the instance's id alone. */
  readonly correlate: Correlate | undefined;
  /** Its filters clause by clause and, where they fit, its `correlate`. */
  readonly explain: (event: CloudEvent) => readonly Clause[];
}

/** What of a stream an instance is pinned to, as text: everything but where its steps go. */
export function streamText({ steps, ...stream }: StreamEntry): string {
  const pinned = steps.map(({ name, wait, input, condition, shape }) => ({
    name,
    wait,
    input,
    condition,
    shape,
  }));
  return JSON.stringify({ ...stream, steps: pinned });
}

/** Compiles a stream; `namespace` is its trigger's, `path` where the entry's fields stand. */
export function compileStream(
  shape: StreamShape,
  namespace: string,
  path: string = 'spec',
): Compiled<Stream> {
  const correlate =
    shape.correlate === undefined
      ? compiled(undefined)
      : compileCorrelation(shape.correlate, `${path}.correlate`);
  const steps = shape.steps.map((step, i) => compileStep(step, namespace, `${path}.steps[${i}]`));
  const findings = [
    ...checkSteps(shape, path),
    ...[correlate, ...steps].flatMap((part) => (part.ok ? [] : part.findings)),
  ];
  if (findings.length > 0 || !correlate.ok) return { ok: false, findings };
  return compiled({
    onStart: shape.onStart,
    correlate: correlate.value,
    keyRetentionMs: shape.keyRetentionMs,
    inbox: shape.inbox,
    steps: steps.flatMap((step) => (step.ok ? [step.value] : [])),
  });
}

function compileStep(step: StepShape, namespace: string, path: string): Compiled<Step> {
  const { name, condition } = step;
  const wait =
    step.wait === undefined
      ? compiled(undefined)
      : compileWait(step.wait, { name, namespace, path: `${path}.waitFor` });
  const tested =
    condition === undefined ? compiled(undefined) : compileCondition(condition, `${path}.condition`, true);
  if (!wait.ok || !tested.ok) {
    return { ok: false, findings: [wait, tested].flatMap((part) => (part.ok ? [] : part.findings)) };
  }
  return compiled({
    name,
    wait: wait.value,
    condition: tested.value,
    input: step.input,
    shape: pinnedShape(step.shape),
  });
}

interface Place {
  /** The step's. */
  readonly name: string;
  readonly namespace: string;
  readonly path: string;
}

type Kind = 'sleepMs' | 'sleepUntil' | 'filters' | 'all' | 'any' | 'job';

const KINDS: Readonly<Record<Kind, (wait: WaitShape, place: Place) => Compiled<Wait>>> = {
  sleepMs: ({ sleepMs = 0 }) => compiled({ kind: 'sleep', ms: sleepMs }),
  sleepUntil: ({ sleepUntil = '' }, { path }) => compileUntil(sleepUntil, `${path}.sleepUntil`),
  filters: (wait, place) => {
    const { filters = [], correlate } = wait;
    const named = { name: place.name, filters, ...(correlate === undefined ? {} : { correlate }) };
    return compileEvents(wait, false, [named], () => place.path);
  },
  all: (wait, { path }) => compileEvents(wait, true, wait.all ?? [], (i) => `${path}.all[${i}]`),
  any: (wait, { path }) => compileEvents(wait, false, wait.any ?? [], (i) => `${path}.any[${i}]`),
  job: (wait, { name, namespace }) => {
    const { step = '', eventBridge = '' } = wait.job ?? {};
    const entrance = `EventBridge/${namespace}/${eventBridge}`;
    return compiled({ kind: 'job', name, step, entrance, ...timeoutOf(wait) });
  },
};

function compileWait(wait: WaitShape, place: Place): Compiled<Wait> {
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => wait[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    return refused(place.path, 'needs exactly one of sleep, sleepUntil, filters, all, any and job');
  return KINDS[kind](wait, place);
}

function timeoutOf({ timeoutMs, onTimeout }: WaitShape): Timeout {
  return { timeoutMs, onTimeout: onTimeout ?? 'Fail' };
}

function compileEvents(
  wait: WaitShape,
  all: boolean,
  named: readonly NamedWaitShape[],
  path: (i: number) => string,
): Compiled<Wait> {
  const findings: Finding[] = [];
  const waits: NamedWait[] = [];
  named.forEach(({ name, filters, correlate: source }, i) => {
    const predicate = compileFilters(filters, `${path(i)}.filters`);
    const correlate =
      source === undefined ? compiled(undefined) : compileCorrelation(source, `${path(i)}.correlate`);
    if (predicate.ok && correlate.ok)
      waits.push(namedWait(name, predicate.value, correlate.value, `${path(i)}.correlate`));
    else findings.push(...[predicate, correlate].flatMap((part) => (part.ok ? [] : part.findings)));
  });
  if (findings.length > 0) return { ok: false, findings };
  return compiled({ kind: 'events', all, waits, ...timeoutOf(wait) });
}

function namedWait(
  name: string,
  filters: Predicate,
  correlate: Correlate | undefined,
  field: string,
): NamedWait {
  return {
    name,
    matches: filters.matches,
    correlate,
    explain(event) {
      const clauses = filters.explain(event);
      if (correlate === undefined || clauses.some(({ met }) => !met)) return clauses;
      return [...clauses, keyClause(correlate(event), field)];
    },
  };
}

/** The latest time that a Date holds. */
const LATEST = 8.64e15;

function compileUntil(source: string, path: string): Compiled<Wait> {
  const program = compileCel(source, path, { result: 'any', variables: ['event', 'data', 'context'] });
  if (!program.ok) return program;
  const run = program.value;
  return compiled({
    kind: 'until',
    time(event) {
      const outcome = run(scopeOf(event));
      return outcome.ok ? timeOf(outcome.value) : `sleepUntil fails: ${outcome.error}`;
    },
  });
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function timeOf(value: unknown): number | string {
  const ms =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'string' && RFC3339.test(value)
        ? Date.parse(value)
        : Number.NaN;
  return Math.abs(ms) <= LATEST ? ms : 'sleepUntil yields no time: make it a timestamp or an RFC 3339 text';
}
