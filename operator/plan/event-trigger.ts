import { compileGlobs } from '../../receiver/bridge/glob.ts';
import type { Finding } from '../../receiver/errors.ts';
import type {
  Destination,
  Entry,
  Shape,
  TriggerEntry,
  TriggerSources,
} from '../../receiver/routing/table.ts';
import { planDelivery } from './delivery.ts';
import { type AddressLookup, type PlannedDestination, planDeadLetterSink } from './destination.ts';
import { type Found, missing } from './found.ts';
import type { Outcome, PlannedCondition, PlannedStatus } from './outcome.ts';
import { createReader, type Reader, readDedup } from './reading.ts';
import { refreshDestination } from './refresh-destination.ts';
import {
  type EventBridgeSpec,
  type EventTrigger,
  type EventTriggerSpec,
  type Identity,
  identityOf,
} from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import { firstRefusal, type Lack, lastGood, refusedSpec, type Settled, takenSpec } from './settle.ts';
import { type PlannedStream, planStream } from './stream.ts';
import { makeShape, planTarget } from './target.ts';
import { withoutUndefined } from './without-undefined.ts';

export interface EventTriggerInput {
  readonly resource: EventTrigger;
  /** The Secrets of the resource's namespace. */
  readonly secrets: SecretLookup;
  /** The addresses of refs in the resource's namespace. */
  readonly addressOf: AddressLookup;
  /** Whether the resource's namespace has a WebhookSecret of that name. */
  readonly webhookSecret: (name: string) => Found<true>;
  /** The EventBridge of that name in the resource's namespace. */
  readonly eventBridge: (name: string) => Found<Pick<EventBridgeSpec, 'filters'>>;
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
    address: entry.from.cluster && addressed(url, entry.from.cluster.audience),
    targetUri: entry.stream === undefined ? resolvedUrl(destination) : undefined,
    deadLetterSinkUri: policy.deadLetter && resolvedUrl(policy.deadLetter),
    keys: undefined,
  });
}

/** Knative fetches a token for the audience before it sends. */
function addressed(url: string, audience: string | undefined): { url: string; audience?: string } {
  return audience === undefined ? { url } : { url, audience };
}

function resolvedUrl(destination: Destination): string | undefined {
  return destination.unresolved === undefined ? destination.url : undefined;
}

function suspended(ready: PlannedCondition): PlannedCondition {
  return { ...ready, reason: 'Suspended', message: 'spec.suspend: events are held until it is false' };
}

/** The last good entry with today's credentials, step by step. */
function refreshed(
  entry: TriggerEntry,
  steps: EventTriggerSpec['steps'],
  targets: readonly PlannedDestination[],
): TriggerEntry {
  const { stream, destination } = entry;
  if (stream === undefined) {
    const target = steps === undefined ? targets[0] : undefined;
    return { ...entry, destination: refreshDestination(destination, target) };
  }
  const byName = new Map(steps?.map(({ name }, i) => [name, targets[i]]));
  return {
    ...entry,
    stream: {
      ...stream,
      steps: stream.steps.map((step) => ({
        ...step,
        destination: refreshDestination(step.destination, byName.get(step.name)),
      })),
    },
  };
}

/** The spec as a candidate for the table, with all that is wrong with it or missing around it. */
interface Draft {
  /** Of the target, or of each step. */
  readonly targets: readonly PlannedDestination[];
  readonly candidate: TriggerEntry | undefined;
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

function settle(input: EventTriggerInput, identity: Identity): Settled<TriggerEntry> {
  const { targets, candidate, findings, lacks } = draft(input, identity);
  const refusal = firstRefusal([
    { reason: 'Invalid', findings },
    { reason: 'EgressRefused', findings: candidate === undefined ? [] : input.egress(candidate) },
  ]);
  if (refusal === undefined && candidate !== undefined) {
    return takenSpec(
      candidate,
      lacks,
      targets.every(({ destination }) => destination.unresolved === undefined)
        ? 'the rest of it works'
        : 'deliveries wait until then',
    );
  }
  const faults = (entry: Entry): readonly Finding[] => [...input.check(entry), ...input.egress(entry)];
  const fallback = lastGood(input.previous, identity, faults);
  const kept = fallback && refreshed(fallback, input.resource.spec.steps, targets);
  return refusedSpec(refusal ?? NO_TARGET, kept, kept?.destination.unresolved && 'its deliveries wait');
}

function draft(input: EventTriggerInput, identity: Identity): Draft {
  const { spec } = input.resource;
  const reader = createReader();
  const stream = spec.steps && planStream(spec, spec.steps, input, reader);
  const targets =
    stream?.targets ?? [planTarget(spec.target, input, reader, 'spec')].flatMap((one) => one ?? []);
  const [target] = targets;
  if (target === undefined) return { targets, candidate: undefined, findings: [], lacks: [] };
  const deadLetterSpec = spec.delivery?.deadLetterSink;
  const deadLetter = deadLetterSpec && planDeadLetterSink(deadLetterSpec, input);
  const candidate = makeEntry(spec, identity, { target, deadLetter, stream }, reader);
  const planned = stream ?? target;
  return {
    targets,
    candidate,
    findings: [
      ...reader.findings,
      ...planned.findings,
      ...(deadLetter?.findings ?? []),
      ...input.check(candidate),
      ...deafWaits(input),
    ],
    lacks: [...planned.lacks, ...(deadLetter?.lacks ?? []), ...missingSources(input)],
  };
}

/** What ends a wait for a job, as a bridge's filters see it. */
const JOB_COMPLETED = 'job.completed';

const NO_TARGET = {
  reason: 'Invalid',
  findings: [{ field: 'spec.target', message: 'a target is missing: set job or sink' }],
};

interface Destinations {
  readonly target: PlannedDestination;
  readonly deadLetter: PlannedDestination | undefined;
  readonly stream: PlannedStream | undefined;
}

/** What a stream itself sends are the events that no step took, as they came. */
const AS_IT_CAME: Shape = { sink: { format: 'binary' } };

function makeEntry(
  spec: EventTriggerSpec,
  identity: Identity,
  { target, deadLetter, stream }: Destinations,
  reader: Reader,
): TriggerEntry {
  return withoutUndefined<TriggerEntry>({
    kind: 'EventTrigger',
    ...identity,
    suspend: spec.suspend ?? false,
    from: makeSources(spec, reader),
    filters: spec.filters ?? [],
    condition: spec.condition,
    shape: stream === undefined ? makeShape(spec) : AS_IT_CAME,
    destination: target.destination,
    policy: planDelivery(spec.delivery, deadLetter?.destination, reader),
    stream: stream?.stream,
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

/** Sources and awaited bridges that are not there: nothing comes from them until they are. */
function missingSources({
  resource: { spec },
  webhookSecret,
  eventBridge,
}: EventTriggerInput): readonly Lack[] {
  const sources = (spec.from ?? []).flatMap(({ webhookSecret: secret, eventBridge: bridge }, i) => [
    ...lacking('WebhookSecret', secret, `spec.from[${i}].webhookSecret.name`, webhookSecret),
    ...lacking('EventBridge', bridge, `spec.from[${i}].eventBridge.name`, eventBridge),
  ]);
  const waits = awaitedBridges(spec).flatMap(({ bridge, field }) =>
    lacking('EventBridge', bridge, field, eventBridge),
  );
  return [...sources, ...waits];
}

/** Awaited bridges that leave out what would end the wait: it can never match. */
function deafWaits({ resource: { spec }, eventBridge }: EventTriggerInput): readonly Finding[] {
  return awaitedBridges(spec).flatMap(({ bridge, field }) => {
    const found = eventBridge(bridge.name);
    const filters = found === 'Invalid' ? undefined : found?.filters;
    if (filters === undefined || compileGlobs(filters)(JOB_COMPLETED)) return [];
    const message = `it can never match: the filters of EventBridge "${bridge.name}" leave out ${JOB_COMPLETED}; add it there, or name another`;
    return [{ field, message }];
  });
}

function awaitedBridges({ steps = [] }: EventTriggerSpec) {
  return steps.flatMap(({ waitFor }, i) =>
    waitFor?.job === undefined
      ? []
      : [{ bridge: waitFor.job.eventBridge, field: `spec.steps[${i}].waitFor.job.eventBridge.name` }],
  );
}

function lacking(
  kind: string,
  named: { readonly name: string } | undefined,
  field: string,
  find: (name: string) => Found<object | true>,
): readonly Lack[] {
  if (named === undefined) return [];
  const found = find(named.name);
  if (found !== undefined && found !== 'Invalid') return [];
  return [{ reason: 'RefNotFound', field, message: missing(kind, named.name, found) }];
}
