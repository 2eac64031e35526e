import type { Finding } from '../../receiver/errors.ts';
import type {
  BridgeEntry,
  BridgeSink,
  DeliveryPolicy,
  Destination,
  Entry,
  OjsSource,
} from '../../receiver/routing/table.ts';
import { type BridgeReport, bridgeConditions, readyByReports } from './bridge-report.ts';
import { planDelivery } from './delivery.ts';
import {
  type AddressLookup,
  type PlannedDestination,
  planBackend,
  planDeadLetterSink,
  planSink,
} from './destination.ts';
import { type Found, missing } from './found.ts';
import type { Outcome } from './outcome.ts';
import { createReader, type Reader } from './reading.ts';
import { refreshDestination } from './refresh-destination.ts';
import {
  type EventBridge,
  type EventBridgeSpec,
  type Identity,
  identityOf,
  type OjsSourceSpec,
  type WebhookSecretSpec,
} from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import { firstRefusal, type Lack, lastGood, refusedSpec, type Settled, takenSpec } from './settle.ts';
import { withoutUndefined } from './without-undefined.ts';

/** What planning an EventBridge takes. */
export interface EventBridgeInput {
  readonly resource: EventBridge;
  /** The Secrets of the resource's namespace. */
  readonly secrets: SecretLookup;
  /** The addresses of refs in the resource's namespace. */
  readonly addressOf: AddressLookup;
  /** The WebhookSecret of that name in the resource's namespace. */
  readonly webhookSecret: (name: string) => Found<Pick<WebhookSecretSpec, 'scheme'>>;
  /** This resource's entry in the routing table. */
  readonly previous: BridgeEntry | undefined;
  /** What the receivers tell of it. */
  readonly reports: readonly BridgeReport[];
  readonly check: (entry: Entry) => readonly Finding[];
  readonly egress: (entry: Entry) => readonly Finding[];
}

const SOURCE = 'spec.source.ojs';
const TYPE_PREFIX = 'org.openjobspec.';
const POLL_INTERVAL_MS = 2000;
const BATCH = { events: 100, bytes: 1 << 20, waitMs: 100 };
/** Where the operator of OJS clusters serves them. */
const CLUSTER_PORT = 8080;

/** Plans one EventBridge. */
export function planEventBridge(input: EventBridgeInput): Outcome {
  const settled = settle(input, identityOf(input.resource));
  const { entry, findings } = settled;
  const runs = entry !== undefined && entry.source.backend.unresolved === undefined;
  const reports = runs ? input.reports : [];
  return {
    entry,
    ready: readyByReports(settled.ready, entry?.suspend === true, reports, toldReady(input.resource)),
    conditions: runs ? bridgeConditions(reports) : [],
    findings,
    status: withoutUndefined({
      servingGeneration: entry?.generation,
      transport: reports.find(({ transport }) => transport !== undefined)?.transport,
      sourceUri: runs ? entry.source.backend.url : undefined,
      sinkUri: entry?.sink?.destination.unresolved === undefined ? entry?.sink?.destination.url : undefined,
    }),
  };
}

function toldReady({ status }: EventBridge) {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

/** The spec as a candidate for the table, with all that is wrong with it or missing around it. */
interface Draft {
  readonly backend: PlannedDestination;
  readonly sink: PlannedDestination | undefined;
  readonly candidate: BridgeEntry;
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

function settle(input: EventBridgeInput, identity: Identity): Settled<BridgeEntry> {
  const { source } = input.resource.spec;
  if (source.ojs === undefined) {
    const findings = [{ field: 'spec.source', message: 'a backend is missing: set ojs' }];
    return refusedSpec<BridgeEntry>({ reason: 'Invalid', findings }, undefined);
  }
  const { backend, sink, candidate, findings, lacks } = draft(input, identity, source.ojs);
  const refusal = firstRefusal([
    { reason: 'Invalid', findings },
    { reason: 'EgressRefused', findings: input.egress(candidate) },
  ]);
  if (refusal === undefined) {
    const meanwhile =
      candidate.source.backend.unresolved === undefined ? 'events wait until then' : 'nothing is read';
    return takenSpec(candidate, lacks, meanwhile);
  }
  const faults = (entry: Entry): readonly Finding[] => [...input.check(entry), ...input.egress(entry)];
  const fallback = lastGood(input.previous, identity, faults);
  return refusedSpec(refusal, fallback && refreshed(fallback, backend, sink));
}

/** What goes on running of an earlier spec, with today's credentials. */
function refreshed(
  kept: BridgeEntry,
  backend: PlannedDestination,
  sink: PlannedDestination | undefined,
): BridgeEntry {
  return withoutUndefined<BridgeEntry>({
    ...kept,
    source: { ...kept.source, backend: refreshDestination(kept.source.backend, backend) },
    sink: kept.sink && { ...kept.sink, destination: refreshDestination(kept.sink.destination, sink) },
  });
}

function draft(input: EventBridgeInput, identity: Identity, ojs: OjsSourceSpec): Draft {
  const { spec } = input.resource;
  const reader = createReader();
  const backend = planSource(ojs, input, identity.namespace);
  const sink = spec.sink && planSink(spec.sink, input, reader, 'spec.sink');
  const deadLetterSpec = spec.delivery?.deadLetterSink;
  const deadLetter = deadLetterSpec && planDeadLetterSink(deadLetterSpec, input);
  const policy = planDelivery(spec.delivery, deadLetter?.destination, reader);
  const bridgeSink = sink && makeSink(spec, sink.destination, policy, reader);
  const candidate = makeEntry(identity, spec, makeSource(ojs, backend.destination, reader), bridgeSink);
  const parts = [backend, sink, deadLetter].filter((part) => part !== undefined);
  return {
    backend,
    sink,
    candidate,
    findings: [
      ...reader.findings,
      ...otherScheme(ojs, input),
      ...parts.flatMap((part) => part.findings),
      ...input.check(candidate),
    ],
    lacks: [...parts.flatMap((part) => part.lacks), ...missingWebhookSecret(ojs, input)],
  };
}

function makeEntry(
  identity: Identity,
  spec: EventBridgeSpec,
  source: OjsSource,
  sink: BridgeSink | undefined,
): BridgeEntry {
  return withoutUndefined<BridgeEntry>({
    kind: 'EventBridge',
    ...identity,
    suspend: spec.suspend ?? false,
    source,
    filters: spec.filters ?? [],
    typePrefix: spec.typePrefix ?? TYPE_PREFIX,
    sourceUri: spec.sourceUri ?? defaultSource(source.backend, identity),
    extensions: spec.ceOverrides?.extensions ?? {},
    sink,
  });
}

/** `clusterRef` is the Service that the cluster's operator makes for it. */
function planSource(ojs: OjsSourceSpec, input: EventBridgeInput, namespace: string): PlannedDestination {
  const { clusterRef, auth, caCerts } = ojs;
  if (clusterRef === undefined) return planBackend(ojs, input, SOURCE);
  const ref = { apiVersion: 'v1', kind: 'Service', name: `${clusterRef.name}-server` };
  const address = input.addressOf(ref);
  const found = address.ok ? URL.parse(address.url) : null;
  // A Service of several ports is found by its first; this one's is known.
  if (found !== null) found.port = String(CLUSTER_PORT);
  const addressOf: AddressLookup = () =>
    found === null
      ? { ok: false, reason: 'RefNotFound', message: missingCluster(clusterRef.name, namespace) }
      : { ok: true, url: found.href };
  const spec = withoutUndefined<Pick<OjsSourceSpec, 'auth' | 'caCerts'>>({ auth, caCerts });
  return planBackend({ ...spec, ref }, { ...input, addressOf }, SOURCE);
}

function missingCluster(name: string, namespace: string): string {
  return `OJSCluster "${name}" has no Service "${name}-server" in ${namespace}: wait until it runs, or name another`;
}

function makeSource(ojs: OjsSourceSpec, backend: Destination, reader: Reader): OjsSource {
  const field = `${SOURCE}.pollInterval`;
  const pollIntervalMs = reader.duration(ojs.pollInterval, field, POLL_INTERVAL_MS);
  if (pollIntervalMs < 1)
    reader.findings.push({ field, message: 'asking without a pause: write 100ms or more' });
  return withoutUndefined<OjsSource>({
    backend,
    transport: ojs.transport ?? 'Auto',
    webhookSecret: ojs.webhookSecret?.name,
    queues: ojs.queues ?? [],
    jobTypes: ojs.jobTypes ?? [],
    pollIntervalMs,
    enrich: ojs.enrich ?? true,
  });
}

function makeSink(
  spec: EventBridgeSpec,
  destination: Destination,
  policy: DeliveryPolicy,
  reader: Reader,
): BridgeSink {
  const { format = 'structured', batch } = spec;
  if (format !== 'batch') return { shape: { sink: { format } }, destination, policy };
  return {
    shape: { sink: { format: 'structured' } },
    destination,
    policy: {
      ...policy,
      batch: {
        events: batch?.events ?? BATCH.events,
        bytes: reader.quantity(batch?.bytes, 'spec.batch.bytes', BATCH.bytes),
        waitMs: reader.duration(batch?.wait, 'spec.batch.wait', BATCH.waitMs),
      },
    },
  };
}

/** Names the backend by its address, where the author gives it no name. */
function defaultSource({ url, unresolved }: Destination, { namespace, name }: Identity): string {
  const at = unresolved === undefined ? URL.parse(url) : null;
  return at === null ? `ojs://${name}.${namespace}` : `ojs://${at.host}${at.pathname.replace(/\/+$/, '')}`;
}

const CALLS = `${SOURCE}.webhookSecret.name`;

/** A backend signs its calls in one way, so that an endpoint that expects another would refuse each of them. */
function otherScheme(
  { transport, webhookSecret }: OjsSourceSpec,
  input: EventBridgeInput,
): readonly Finding[] {
  const name = transport === 'Webhook' ? webhookSecret?.name : undefined;
  const found = name === undefined ? undefined : input.webhookSecret(name);
  if (found === undefined || found === 'Invalid' || found.scheme === 'OJS') return [];
  const message = `WebhookSecret "${name}" verifies by scheme ${found.scheme}, and a backend signs its calls by OJS: give it scheme OJS, or name another`;
  return [{ field: CALLS, message }];
}

function missingWebhookSecret(
  { transport, webhookSecret }: OjsSourceSpec,
  input: EventBridgeInput,
): readonly Lack[] {
  if (transport !== 'Webhook' || webhookSecret === undefined) return [];
  const { name } = webhookSecret;
  const found = input.webhookSecret(name);
  if (found !== undefined && found !== 'Invalid') return [];
  return [{ reason: 'RefNotFound', field: CALLS, message: missing('WebhookSecret', name, found) }];
}
