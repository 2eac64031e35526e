import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';
import type { Entry } from '../../receiver/routing/table.ts';
import type { EventBridgeInput } from './event-bridge.ts';
import type { EventTriggerInput } from './event-trigger.ts';
import type {
  EventBridge,
  EventBridgeSpec,
  EventTrigger,
  EventTriggerSpec,
  WebhookSecret,
  WebhookSecretSpec,
} from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import type { WebhookSecretInput } from './webhook-secret.ts';

/** The Secrets of one namespace from plain text, for tests. */
export function secrets(all: Readonly<Record<string, Readonly<Record<string, string>>>>): SecretLookup {
  return (name) => {
    const data = all[name];
    return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
  };
}

/** A WebhookSecret `shop/hooks` of scheme Emporix with one key, for tests. */
export function webhookSecret(spec: Partial<WebhookSecretSpec> = {}, generation = 1): WebhookSecret {
  return {
    apiVersion: 'signalbox.dev/v1alpha1',
    kind: 'WebhookSecret',
    metadata: { namespace: 'shop', name: 'hooks', uid: 'uid-hooks', generation },
    spec: {
      scheme: 'Emporix',
      secrets: [{ name: 'current', secretKeyRef: { name: 'hooks', key: 'secret' } }],
      ...spec,
    },
  };
}

/** An EventTrigger `shop/forward` to a sink, for tests. */
export function eventTrigger(spec: Partial<EventTriggerSpec> = {}, generation = 1): EventTrigger {
  return {
    apiVersion: 'signalbox.dev/v1alpha1',
    kind: 'EventTrigger',
    metadata: { namespace: 'shop', name: 'forward', uid: 'uid-forward', generation },
    spec: {
      from: [{ webhookSecret: { name: 'hooks' } }],
      target: { sink: { uri: 'http://sink.example/in' } },
      ...spec,
    },
  };
}

/** What planning of a WebhookSecret takes, on an empty table, with the receiver's own compilers; for tests. */
export function webhookSecretInput(over: Partial<WebhookSecretInput> = {}): WebhookSecretInput {
  return {
    resource: webhookSecret(),
    secrets: secrets({ hooks: { secret: 's3cr3t' } }),
    holderOf: () => undefined,
    tokenHolderOf: () => undefined,
    lastUsed: new Map(),
    canGenerate: true,
    previous: undefined,
    publicUrl: 'https://hooks.example.com/',
    check: compileEntry,
    egress: (entry: Entry) => egressFindings(entry, {}),
    now: Date.UTC(2027, 0, 1),
    ...over,
  };
}

/** The same for an EventTrigger. */
export function eventTriggerInput(over: Partial<EventTriggerInput> = {}): EventTriggerInput {
  return {
    resource: eventTrigger(),
    secrets: secrets({}),
    addressOf: () => ({ ok: false, reason: 'RefNotFound', message: 'nothing is there' }),
    webhookSecret: (name) => (name === 'hooks' ? true : undefined),
    eventBridge: (name) => (name === 'results' ? {} : undefined),
    previous: undefined,
    clusterUrl: 'http://receiver.signalbox.svc.cluster.local',
    check: compileEntry,
    egress: (entry: Entry) => egressFindings(entry, {}),
    ...over,
  };
}

/** An EventBridge `shop/results` that reads from a backend and sends to a sink, for tests. */
export function eventBridge(spec: Partial<EventBridgeSpec> = {}, generation = 1): EventBridge {
  return {
    apiVersion: 'signalbox.dev/v1alpha1',
    kind: 'EventBridge',
    metadata: { namespace: 'shop', name: 'results', uid: 'uid-results', generation },
    spec: {
      source: { ojs: { uri: 'http://jobs.example' } },
      sink: { uri: 'http://sink.example/in' },
      ...spec,
    },
  };
}

const ENDPOINTS: ReadonlyMap<string, Pick<WebhookSecretSpec, 'scheme'>> = new Map([
  ['calls', { scheme: 'OJS' }],
  ['pushes', { scheme: 'GitHub' }],
]);

/** What planning of an EventBridge takes, on an empty table; for tests. */
export function eventBridgeInput(over: Partial<EventBridgeInput> = {}): EventBridgeInput {
  return {
    resource: eventBridge(),
    secrets: secrets({}),
    addressOf: () => ({ ok: false, reason: 'RefNotFound', message: 'nothing is there' }),
    webhookSecret: (name) => ENDPOINTS.get(name),
    previous: undefined,
    reports: [],
    check: compileEntry,
    egress: (entry: Entry) => egressFindings(entry, {}),
    ...over,
  };
}
