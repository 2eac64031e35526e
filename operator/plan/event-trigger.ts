import type { Finding } from '../../receiver/errors.ts';
import type {
  Destination,
  Entry,
  JobShape,
  Shape,
  TriggerEntry,
  TriggerSources,
} from '../../receiver/routing/table.ts';
import { planDelivery } from './delivery.ts';
import {
  type AddressLookup,
  type PlannedDestination,
  planDeadLetterSink,
  planJob,
  planSink,
  type Surroundings,
} from './destination.ts';
import { triggerNotYet } from './not-yet.ts';
import type { Outcome, PlannedCondition, PlannedStatus } from './outcome.ts';
import { createReader, type Reader, readDedup } from './reading.ts';
import { refreshDestination } from './refresh-destination.ts';
import {
  type EventTrigger,
  type EventTriggerSpec,
  type Identity,
  identityOf,
  type JobTarget,
} from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import { firstRefusal, type Lack, lastGood, refusedSpec, type Settled, takenSpec } from './settle.ts';
import { withoutUndefined } from './without-undefined.ts';

export interface EventTriggerInput {
  readonly resource: EventTrigger;
  /** The Secrets of the resource's namespace. */
  readonly secrets: SecretLookup;
  /** The addresses of refs in the resource's namespace. */
  readonly addressOf: AddressLookup;
  /** Whether the resource's namespace has a WebhookSecret of that name. */
  readonly hasWebhookSecret: (name: string) => boolean;
  /** The same for EventBridges. */
  readonly hasEventBridge: (name: string) => boolean;
  /** This resource's entry in the routing table. */
  readonly previous: TriggerEntry | undefined;
  /** Base address of the in-cluster listener. */
  readonly clusterUrl: string;
  /** The receiver's own compilers: what is wrong with an entry. */
  readonly check: (entry: Entry) => readonly Finding[];
  /** Destinations of an entry that the egress policy refuses. */
  readonly egress: (entry: Entry) => readonly Finding[];
}

/** Plans one EventTrigger. */
export function planEventTrigger(input: EventTriggerInput): Outcome {
  const identity = identityOf(input.resource);
  const settled = settle(input, identity);
  const { entry, findings } = settled;
  const ready =
    settled.ready.status === 'True' && entry?.suspend === true ? suspended(settled.ready) : settled.ready;
  return {
    entry,
    ready,
    conditions: [],
    findings,
    status: entry === undefined ? {} : statusOf(entry, input.clusterUrl),
  };
}

function statusOf(entry: TriggerEntry, clusterUrl: string): PlannedStatus {
  const { namespace, name, destination, policy } = entry;
  const url = `${clusterUrl.replace(/\/+$/, '')}/triggers/${namespace}/${name}`;
  return withoutUndefined<PlannedStatus>({
    servingGeneration: entry.generation,
    source: undefined,
    url: undefined,
    address: entry.from.cluster && { url },
    targetUri: resolvedUrl(destination),
    deadLetterSinkUri: policy.deadLetter && resolvedUrl(policy.deadLetter),
    keys: undefined,
  });
}

function resolvedUrl(destination: Destination): string | undefined {
  return destination.unresolved === undefined ? destination.url : undefined;
}

function suspended(ready: PlannedCondition): PlannedCondition {
  return { ...ready, reason: 'Suspended', message: 'spec.suspend: events are held until it is false' };
}

/** The spec as a candidate for the table, with all that is wrong with it or missing around it. */
interface Draft {
  readonly target: PlannedDestination | undefined;
  readonly candidate: TriggerEntry | undefined;
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

function settle(input: EventTriggerInput, identity: Identity): Settled<TriggerEntry> {
  const { target, candidate, findings, lacks } = draft(input, identity);
  const refusal = firstRefusal([
    { reason: 'NotYetSupported', findings: triggerNotYet(input.resource.spec) },
    { reason: 'Invalid', findings },
    { reason: 'EgressRefused', findings: candidate === undefined ? [] : input.egress(candidate) },
  ]);
  if (refusal === undefined && candidate !== undefined) {
    return takenSpec(
      candidate,
      lacks,
      candidate.destination.unresolved === undefined ? 'the rest of it works' : 'deliveries wait until then',
    );
  }
  const faults = (entry: Entry): readonly Finding[] => [...input.check(entry), ...input.egress(entry)];
  const fallback = lastGood(input.previous, identity, faults);
  const kept = fallback && { ...fallback, destination: refreshDestination(fallback.destination, target) };
  return refusedSpec(refusal ?? NO_TARGET, kept, kept?.destination.unresolved && 'its deliveries wait');
}

function draft(input: EventTriggerInput, identity: Identity): Draft {
  const { spec } = input.resource;
  const reader = createReader();
  const target = planTarget(spec, input, reader);
  if (target === undefined) return { target, candidate: undefined, findings: [], lacks: [] };
  const deadLetterSpec = spec.delivery?.deadLetterSink;
  const deadLetter = deadLetterSpec && planDeadLetterSink(deadLetterSpec, input);
  const candidate = makeEntry(spec, identity, { target, deadLetter }, reader);
  return {
    target,
    candidate,
    findings: [
      ...reader.findings,
      ...target.findings,
      ...(deadLetter?.findings ?? []),
      ...input.check(candidate),
    ],
    lacks: [...target.lacks, ...(deadLetter?.lacks ?? []), ...missingSources(input, candidate.from)],
  };
}

const NO_TARGET = {
  reason: 'Invalid',
  findings: [{ field: 'spec.target', message: 'a target is missing: set job or sink' }],
};

function planTarget(
  spec: EventTriggerSpec,
  around: Surroundings,
  reader: Reader,
): PlannedDestination | undefined {
  if (spec.target?.job !== undefined) return planJob(spec.target.job, around);
  if (spec.target?.sink !== undefined) return planSink(spec.target.sink, around, reader);
  return undefined;
}

interface Destinations {
  readonly target: PlannedDestination;
  readonly deadLetter: PlannedDestination | undefined;
}

function makeEntry(
  spec: EventTriggerSpec,
  identity: Identity,
  { target, deadLetter }: Destinations,
  reader: Reader,
): TriggerEntry {
  return withoutUndefined<TriggerEntry>({
    kind: 'EventTrigger',
    ...identity,
    suspend: spec.suspend ?? false,
    from: makeSources(spec, reader),
    filters: spec.filters ?? [],
    condition: spec.condition,
    shape: makeShape(spec),
    destination: target.destination,
    policy: planDelivery(spec.delivery, deadLetter?.destination, reader),
  });
}

function makeSources(spec: EventTriggerSpec, reader: Reader): TriggerSources {
  const from = spec.from === undefined || spec.from.length === 0 ? [{ cluster: {} }] : spec.from;
  const at = from.findIndex((source) => source.cluster !== undefined);
  const cluster = from[at]?.cluster;
  return withoutUndefined<TriggerSources>({
    webhookSecrets: [...new Set(from.flatMap((source) => source.webhookSecret?.name ?? []))],
    eventBridges: [...new Set(from.flatMap((source) => source.eventBridge?.name ?? []))],
    cluster: cluster && {
      ...withoutUndefined<{ audience?: string; subjects?: readonly string[] }>({
        audience: cluster.audience,
        subjects: cluster.subjects,
      }),
      dedup: readDedup(cluster.dedup, `spec.from[${at}].cluster.dedup`, reader),
    },
  });
}

function makeShape(spec: EventTriggerSpec): Shape {
  const { job, sink } = spec.target ?? {};
  return withoutUndefined<Shape>({
    map: spec.map,
    sink: sink && { format: sink.format ?? 'binary' },
    job: job && jobShape(job),
  });
}

function jobShape(job: JobTarget): JobShape {
  const { type, types, stripPrefix, args, options } = job;
  return withoutUndefined<JobShape>({ type, types, stripPrefix, args, options: options && { ...options } });
}

function missingSources(input: EventTriggerInput, from: TriggerSources): readonly Lack[] {
  const specs = input.resource.spec.from ?? [];
  const lack = (kind: string, member: 'webhookSecret' | 'eventBridge', name: string): Lack => {
    const i = specs.findIndex((source) => source[member]?.name === name);
    const message = `${kind} "${name}" does not exist in this namespace: create it, or name another`;
    return { reason: 'RefNotFound', field: `spec.from[${i}].${member}.name`, message };
  };
  return [
    ...from.webhookSecrets
      .filter((name) => !input.hasWebhookSecret(name))
      .map((name) => lack('WebhookSecret', 'webhookSecret', name)),
    ...from.eventBridges
      .filter((name) => !input.hasEventBridge(name))
      .map((name) => lack('EventBridge', 'eventBridge', name)),
  ];
}
