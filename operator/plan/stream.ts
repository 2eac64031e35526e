import type { Finding } from '../../receiver/errors.ts';
import type { NamedWaitShape, StepEntry, StreamEntry, WaitShape } from '../../receiver/routing/table.ts';
import { planDelivery } from './delivery.ts';
import { type PlannedDestination, planDeadLetterSink, type Surroundings } from './destination.ts';
import type { Reader } from './reading.ts';
import type { EventTriggerSpec, Step, Wait, WaitFor } from './resources.ts';
import type { Lack } from './settle.ts';
import { makeShape, planTarget } from './target.ts';
import { withoutUndefined } from './without-undefined.ts';

const DAY_MS = 86_400_000;
const INBOX_EVENTS = 100;
const INBOX_BYTES = 1 << 20;

/** A value stream as planned: its part of the entry, and where each step goes. */
export interface PlannedStream {
  readonly stream: StreamEntry;
  /** By step, in their order. */
  readonly targets: readonly PlannedDestination[];
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

/** Plans `spec.steps` and what goes with them. */
export function planStream(
  spec: EventTriggerSpec,
  steps: readonly Step[],
  around: Surroundings,
  reader: Reader,
): PlannedStream {
  const planned = steps.map((step, i) => planStep(step, spec, `spec.steps[${i}]`, { around, reader }));
  return {
    stream: {
      ...withoutUndefined<Omit<StreamEntry, 'steps'>>({
        onStart: spec.onStart ?? 'Always',
        correlate: spec.correlate,
        keyRetentionMs: reader.duration(spec.keyRetention, 'spec.keyRetention', DAY_MS),
        inbox: {
          events: spec.inbox?.events ?? INBOX_EVENTS,
          bytes: reader.quantity(spec.inbox?.bytes, 'spec.inbox.bytes', INBOX_BYTES),
          retentionMs: reader.duration(spec.inbox?.retention, 'spec.inbox.retention', DAY_MS),
        },
      }),
      steps: planned.map(({ entry }) => entry),
    },
    targets: planned.map(({ target }) => target),
    findings: planned.flatMap(({ findings }) => findings),
    lacks: planned.flatMap(({ lacks }) => lacks),
  };
}

interface PlannedStep {
  readonly entry: StepEntry;
  readonly target: PlannedDestination;
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

const NO_TARGET: PlannedDestination = {
  destination: {
    kind: 'sink',
    url: 'http://unresolved.invalid/',
    headers: [],
    unresolved: 'a target is missing',
  },
  findings: [],
  lacks: [],
};

function planStep(
  step: Step,
  spec: EventTriggerSpec,
  path: string,
  { around, reader }: { readonly around: Surroundings; readonly reader: Reader },
): PlannedStep {
  const planned = planTarget(step.target, around, reader, path);
  const target = planned ?? NO_TARGET;
  const missing =
    planned === undefined
      ? [{ field: `${path}.target`, message: 'a target is missing: set job or sink' }]
      : [];
  const delivery = { ...spec.delivery, ...step.delivery };
  const sink = delivery.deadLetterSink;
  const deadLetter =
    sink && planDeadLetterSink(sink, around, step.delivery?.deadLetterSink === undefined ? 'spec' : path);
  return {
    entry: withoutUndefined<StepEntry>({
      name: step.name,
      wait: step.waitFor && planWait(step.waitFor, `${path}.waitFor`, reader),
      input: step.input === 'Answer' ? 'Answer' : undefined,
      condition: step.condition,
      shape: makeShape(step),
      destination: target.destination,
      policy: planDelivery(delivery, deadLetter?.destination, reader, path),
    }),
    target,
    findings: [...missing, ...target.findings, ...(deadLetter?.findings ?? [])],
    lacks: [...target.lacks, ...(deadLetter?.lacks ?? [])],
  };
}

function planWait(wait: WaitFor, path: string, reader: Reader): WaitShape {
  const { sleep, timeout } = wait;
  return withoutUndefined<WaitShape>({
    sleepMs: sleep === undefined ? undefined : reader.duration(sleep, `${path}.sleep`, 0),
    sleepUntil: wait.sleepUntil,
    filters: wait.filters,
    correlate: wait.correlate,
    all: wait.all?.map(named),
    any: wait.any?.map(named),
    job: wait.job && { step: wait.job.step, eventBridge: wait.job.eventBridge.name },
    timeoutMs: timeout === undefined ? undefined : reader.duration(timeout, `${path}.timeout`, 0),
    onTimeout: wait.onTimeout === 'Continue' ? 'Continue' : undefined,
  });
}

function named({ name, filters, correlate }: Wait): NamedWaitShape {
  return withoutUndefined<NamedWaitShape>({ name, filters, correlate });
}
