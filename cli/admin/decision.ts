import type { EventExplanation } from '../../receiver/explain.ts';
import type { Attempt, DeliveryRow, EventRow } from '../../receiver/journal/journal.ts';
import type { Repeats } from '../../receiver/observe/repeat-log.ts';
import { parseTraceParent, type TraceContext } from '../../receiver/observe/trace-context.ts';
import type { Fault } from '../../receiver/streams/decide.ts';
import { columns } from '../columns.ts';
import { tellUntyped } from '../untyped.ts';
import { shownTime } from './list.ts';

/** An event's decision record, as the admin API shows it. */
export interface DecisionRecord
  extends Pick<EventRow, 'event' | 'entrance' | 'receivedAt' | 'bytes'>,
    EventExplanation {
  readonly attributes: Readonly<Record<string, string>>;
  readonly record: {
    readonly key?: string;
    readonly revision: number;
    readonly triggers: readonly string[];
    /** What was wrong with the instance that it names. */
    readonly faults?: readonly Fault[];
    /** Value streams whose instance of its key was over. */
    readonly stragglers?: readonly string[];
    /** The span in which it was received, where it was traced. */
    readonly trace?: TraceContext;
  };
  /** null: it did not come again since the receiver started. */
  readonly repeats: Repeats | null;
  readonly deliveries: readonly Pick<
    DeliveryRow,
    'id' | 'trigger' | 'state' | 'reason' | 'due' | 'line' | 'attempts'
  >[];
}

/** The record as a person would tell it: what came, who took it and how that went, and who did not and why. */
export function tellDecision(decision: DecisionRecord): string {
  const { attributes, record, entrance, deliveries } = decision;
  const proof = record.key === undefined ? '' : `, proved by key ${record.key}`;
  return [
    `Event ${decision.event}: ${attributes['type'] ?? ''}, id ${attributes['id'] ?? ''}, of ${attributes['source'] ?? ''}`,
    `Accepted ${shownTime(decision.receivedAt)} by ${entrance}${proof}: ${decision.bytes} bytes of data, routing table ${record.revision}.`,
    ...tellTrace(record.trace),
    ...tellRepeats(decision.repeats),
    record.triggers.length === 0 ? 'No trigger took it.' : `Taken by ${record.triggers.join(', ')}.`,
    ...tellUntyped(attributes['type'] ?? '', record.triggers.length > 0),
    ...tellWhereabouts(decision),
    ...(record.faults ?? []).map((fault) => FAULTS[fault]),
    ...(record.stragglers ?? []).map(
      (trigger) =>
        `${trigger} had ended its instance of the same key (keyRetention): it came too late, and starts none.`,
    ),
    ...deliveries.flatMap((delivery) => ['', ...tellDelivery(delivery)]),
    '',
    ...tellTriggers(decision),
  ].join('\n');
}

/** By now: what was held for a key is with the instance that has started by it since. */
function tellWhereabouts({ instances, held }: DecisionRecord): readonly string[] {
  const came = instances.length === 0 ? [] : [`It came to the instance ${instances.join(' and ')}.`];
  const waits = held.map(
    ({ trigger, key, until }) =>
      `${trigger} holds it for the key ${key}, which no instance has yet, until ${shownTime(until)}.`,
  );
  return [...came, ...waits];
}

const FAULTS: Readonly<Record<Fault, string>> = {
  unknown: 'There was no instance of the id that its instanceid gives.',
  over: 'The instance that its instanceid names was over.',
  'another stream':
    'The instance that its instanceid names is of a value stream that does not read from there.',
  'too large': 'It did not fit into what the instance remembers (1 MiB).',
};

function tellTrace(trace: TraceContext | undefined): readonly string[] {
  const parent = trace && parseTraceParent(trace.traceparent);
  return parent === undefined ? [] : [`Trace ${parent.traceId}.`];
}

function tellRepeats(repeats: Repeats | null): readonly string[] {
  if (repeats === null) return [];
  const { count, differing, lastAt } = repeats;
  const times = count === 1 ? 'once' : `${count} times`;
  const differ =
    differing === 0 ? '' : `, ${differing === count ? '' : `${differing} of them `}with other bytes`;
  return [`It came again ${times} since the receiver started${differ}, last ${shownTime(lastAt)}.`];
}

function tellDelivery({
  id,
  trigger,
  state,
  reason,
  due,
  line,
  attempts,
}: DecisionRecord['deliveries'][number]): readonly string[] {
  const behind = line === undefined || state !== 'waiting' ? '' : `, behind another of ${line}`;
  const next = due === undefined ? behind : `, next attempt ${shownTime(due)}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const head = `Delivery ${id} to ${trigger} is ${state}${next}${why}`;
  return attempts.length === 0 ? [head] : [head, columns(attempts.map(attemptRow))];
}

function attemptRow({ at, durationMs, status, error, result }: Attempt): readonly string[] {
  return [
    shownTime(at),
    `${Math.round(durationMs)} ms`,
    String(status ?? 'no answer'),
    error ?? result ?? '',
  ];
}

function tellTriggers({ entrance, explainedBy, triggers, record }: DecisionRecord): readonly string[] {
  const { revision, decided } = explainedBy;
  const by = decided
    ? `By the routing table that decided, ${revision}:`
    : `By the routing table in force now, ${revision}, which may not be the one that decided:`;
  if (triggers.length === 0) return [by, `  no trigger reads from ${entrance}.`];
  // Its clauses say yes, and what was said above says no.
  const { faults = [], stragglers = [] } = record;
  const refused = (trigger: string): boolean =>
    !record.triggers.includes(trigger) && (faults.length > 0 || stragglers.includes(trigger));
  const rows = triggers.flatMap(({ trigger, takes, no }) =>
    takes
      ? [[trigger, refused(trigger) ? 'fits' : 'takes it', '']]
      : no.map(({ field, because }, i) => [
          i === 0 ? trigger : '',
          i === 0 ? 'says no' : '',
          `${field}: ${because}`,
        ]),
  );
  return [by, columns(rows)];
}
