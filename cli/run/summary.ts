import {
  type BridgeEntry,
  type EndpointEntry,
  type Entry,
  entryKey,
  type JobShape,
  type TriggerEntry,
} from '../../receiver/routing/table.ts';
import { columns } from '../columns.ts';

/** Where the process can be reached. */
export interface Addresses {
  readonly public?: string | undefined;
  readonly cluster?: string | undefined;
  readonly admin?: string | undefined;
}

/** What a summary tells besides the entries. */
export interface Circumstances {
  readonly publicUrl: string;
  readonly clusterUrl: string;
  /** Why an entry does not run as it should, by `Kind/namespace/name`. */
  readonly troubles: ReadonlyMap<string, string>;
}

/** What runs, for a person: each endpoint with its URL, each trigger and where it sends. */
export function summary(entries: readonly Entry[], around: Circumstances): string {
  const endpoints = entries.filter((entry) => entry.kind === 'WebhookSecret');
  const triggers = entries.filter((entry) => entry.kind === 'EventTrigger');
  const bridges = entries.filter((entry) => entry.kind === 'EventBridge');
  return [
    ...(endpoints.length > 0
      ? ['Endpoints', columns(endpoints.map((entry) => endpointRow(entry, around)))]
      : []),
    ...(triggers.length > 0 ? ['Triggers', columns(triggers.map((entry) => triggerRow(entry, around)))] : []),
    ...(bridges.length > 0 ? ['Bridges', columns(bridges.map((entry) => bridgeRow(entry, around)))] : []),
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

function endpointRow(entry: EndpointEntry, { publicUrl }: Circumstances): readonly string[] {
  const url = `${publicUrl}/e/${entry.source}`;
  const trouble = entry.cannotVerify === undefined ? '' : `answers 503: ${entry.cannotVerify}`;
  return [`${entry.namespace}/${entry.name}`, entry.scheme, url, trouble];
}

function triggerRow(entry: TriggerEntry, { clusterUrl, troubles }: Circumstances): readonly string[] {
  const { webhookSecrets, eventBridges, cluster } = entry.from;
  const from = [
    ...webhookSecrets,
    ...eventBridges,
    ...(cluster === undefined ? [] : [`${clusterUrl}/triggers/${entry.namespace}/${entry.name}`]),
  ];
  const unresolved = targetsOf(entry).flatMap(({ destination }) => destination.unresolved ?? []);
  const trouble = unresolved.join('; ') || troubles.get(entryKey(entry));
  const held = entry.suspend ? 'suspended' : (trouble ?? '');
  return [
    `${entry.namespace}/${entry.name}`,
    `${from.join(', ')} → ${targetsOf(entry).map(target).join(', then ')}`,
    held,
  ];
}

function bridgeRow(entry: BridgeEntry, { troubles }: Circumstances): readonly string[] {
  const { namespace, name, source, sink, suspend } = entry;
  const { backend, transport } = source;
  const where = backend.unresolved === undefined ? backend.url : 'nowhere yet';
  const to =
    sink === undefined
      ? 'triggers only'
      : `sink ${sink.destination.unresolved === undefined ? sink.destination.url : ''}`;
  const trouble = backend.unresolved ?? sink?.destination.unresolved ?? troubles.get(entryKey(entry));
  const held = suspend ? 'suspended' : (trouble ?? '');
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
