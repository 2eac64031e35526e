import type { BridgeEntry, DeliveryPolicy, EndpointEntry, OjsSource, TriggerEntry } from './table.ts';

/** The defaults of `spec.delivery`, for tests and benchmarks. */
export const POLICY: DeliveryPolicy = {
  backoffPolicy: 'exponential',
  backoffDelayMs: 200,
  ceilingMs: 300_000,
  maxAgeMs: 86_400_000,
  timeoutMs: 30_000,
  retryAfterMaxMs: 600_000,
  concurrency: 32,
  ordering: 'None',
};

/** An endpoint of scheme Emporix with the key `s3cr3t`, for tests and benchmarks. */
export function endpointEntry(over: Partial<EndpointEntry> = {}): EndpointEntry {
  return {
    kind: 'WebhookSecret',
    namespace: 'shop',
    name: 'hooks',
    uid: 'uid-hooks',
    generation: 1,
    source: 'shop.hooks',
    scheme: 'Emporix',
    keys: [{ name: 'current', secret: Buffer.from('s3cr3t').toString('base64') }],
    dedup: { enabled: true, windowMs: 86_400_000 },
    limits: { bodyBytes: 1_048_576 },
    ...over,
  };
}

/** A trigger that forwards all that `shop/hooks` takes to a sink, for tests and benchmarks. */
export function triggerEntry(over: Partial<TriggerEntry> = {}): TriggerEntry {
  return {
    kind: 'EventTrigger',
    namespace: 'shop',
    name: 'forward',
    uid: 'uid-forward',
    generation: 1,
    suspend: false,
    from: { webhookSecrets: ['hooks'], eventBridges: [] },
    filters: [],
    shape: { sink: { format: 'binary' } },
    destination: { kind: 'sink', url: 'http://127.0.0.1:9900/', headers: [] },
    policy: POLICY,
    ...over,
  };
}

/** A bridge `jobs/results` that reads from a backend at `url` and has no sink, for tests and benchmarks. */
export function bridgeEntry(url: string, over: Partial<BridgeEntry> = {}): BridgeEntry {
  return {
    kind: 'EventBridge',
    namespace: 'jobs',
    name: 'results',
    uid: 'uid-results',
    generation: 1,
    suspend: false,
    source: ojsSource(url),
    filters: [],
    typePrefix: 'org.openjobspec.',
    sourceUri: '/ojs/backend/redis',
    extensions: {},
    ...over,
  };
}

/** A backend to read from, in whatever way it has. */
export function ojsSource(url: string, over: Partial<OjsSource> = {}): OjsSource {
  return {
    backend: { kind: 'job', url, headers: [] },
    transport: 'Auto',
    queues: [],
    jobTypes: [],
    pollIntervalMs: 20,
    enrich: true,
    ...over,
  };
}
