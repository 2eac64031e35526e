import type {
  BridgeEntry,
  EndpointEntry,
  Entry,
  JobShape,
  TriggerEntry,
} from '../../receiver/routing/table.ts';
import { columns } from '../columns.ts';

/** Where the process can be reached. */
export interface Addresses {
  readonly public?: string | undefined;
  readonly cluster?: string | undefined;
  readonly admin?: string | undefined;
}

/** What runs, for a person: each endpoint with its URL, each trigger and where it sends. */
export function summary(entries: readonly Entry[], publicUrl: string, clusterUrl: string): string {
  const endpoints = entries.filter((entry) => entry.kind === 'WebhookSecret');
  const triggers = entries.filter((entry) => entry.kind === 'EventTrigger');
  const bridges = entries.filter((entry) => entry.kind === 'EventBridge');
  return [
    ...(endpoints.length > 0
      ? ['Endpoints', columns(endpoints.map((entry) => endpointRow(entry, publicUrl)))]
      : []),
    ...(triggers.length > 0
      ? ['Triggers', columns(triggers.map((entry) => triggerRow(entry, clusterUrl)))]
      : []),
    ...(bridges.length > 0 ? ['Bridges', columns(bridges.map(bridgeRow))] : []),
  ].join('\n');
}

/** The listeners and the data directory. */
export function listenerSummary(addresses: Addresses, dataDirectory: string): string {
  const rows = Object.entries(addresses).filter(([, url]) => url !== undefined);
  return [
    'Listeners',
    columns([...rows.map(([name, url]) => [name, url ?? '']), ['data', dataDirectory]]),
  ].join('\n');
}

function endpointRow(entry: EndpointEntry, publicUrl: string): readonly string[] {
  const url = `${publicUrl}/e/${entry.source}`;
  const trouble = entry.cannotVerify === undefined ? '' : `answers 503: ${entry.cannotVerify}`;
  return [`${entry.namespace}/${entry.name}`, entry.scheme, url, trouble];
}

function triggerRow(entry: TriggerEntry, clusterUrl: string): readonly string[] {
  const { webhookSecrets, eventBridges, cluster } = entry.from;
  const from = [
    ...webhookSecrets,
    ...eventBridges,
    ...(cluster === undefined ? [] : [`${clusterUrl}/triggers/${entry.namespace}/${entry.name}`]),
  ];
  const unresolved = targetsOf(entry).flatMap(({ destination }) => destination.unresolved ?? []);
  const held = entry.suspend ? 'suspended' : unresolved.join('; ');
  return [
    `${entry.namespace}/${entry.name}`,
    `${from.join(', ')} → ${targetsOf(entry).map(target).join(', then ')}`,
    held,
  ];
}

function bridgeRow({ namespace, name, source, sink, suspend }: BridgeEntry): readonly string[] {
  const { backend, transport } = source;
  const where = backend.unresolved === undefined ? backend.url : 'nowhere yet';
  const to =
    sink === undefined
      ? 'triggers only'
      : `sink ${sink.destination.unresolved === undefined ? sink.destination.url : ''}`;
  const held = suspend ? 'suspended' : (backend.unresolved ?? sink?.destination.unresolved ?? '');
  return [`${namespace}/${name}`, `${where} (${transport}) → ${to}`, held];
}

/** Where a trigger sends, or each step of a value stream. */
function targetsOf(entry: TriggerEntry): readonly Pick<TriggerEntry, 'destination' | 'shape'>[] {
  return entry.stream?.steps ?? [entry];
}

function target({ destination, shape }: Pick<TriggerEntry, 'destination' | 'shape'>): string {
  const where = destination.unresolved === undefined ? destination.url : '';
  if (shape.job === undefined) return `sink ${where}`;
  return `job ${jobTypes(shape.job)}${where === '' ? '' : ` at ${where}`}`;
}

function jobTypes(job: JobShape): string {
  const named = job.type === undefined ? (job.types ?? []).map((rule) => rule.jobType) : [job.type];
  const different = [...new Set(named)];
  if (different.length === 0) return 'named by the event';
  return different.length > 3 ? `${different.slice(0, 3).join(', ')}, …` : different.join(', ');
}
