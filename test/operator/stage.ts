import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import type { Condition } from '../../crds/conditions.ts';
import { API_VERSION, type Kind } from '../../crds/group.ts';
import { readAdminToken } from '../../operator/confirm/admin-token.ts';
import { createAsk, createAskItems } from '../../operator/confirm/ask.ts';
import type { KeyUseAnswer } from '../../operator/confirm/key-uses.ts';
import { createOperator, type Operator } from '../../operator/operator.ts';
import type { BridgeReport } from '../../operator/plan/bridge-report.ts';
import type { TrafficStatus } from '../../operator/traffic/totals.ts';
import { createKubeClient } from '../../receiver/kube/client.ts';
import { corePath, resourcesOf } from '../../receiver/kube/collection.ts';
import { kubeConfigFromText } from '../../receiver/kube/config.ts';
import { createWatch, type Watch, type Watchable } from '../../receiver/kube/watch.ts';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';
import {
  decodeShard,
  digestOf,
  INDEX_SECRET_NAME,
  SECRET_DATA_KEY,
  shardSecretName,
  type TableIndex,
} from '../../receiver/routing/shards.ts';
import type { EndpointEntry, Entry, TriggerEntry } from '../../receiver/routing/table.ts';
import { type Connection, createApi } from '../apiserver/connection.ts';
import { createNamespace } from '../apiserver/namespace.ts';
import { type FakeReceiver, startFakeReceiver } from './fake-receiver.ts';

export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const SERVICE = 'receiver';

/** A resource as the tests look at it. */
export interface Shown extends Watchable {
  readonly metadata: Watchable['metadata'] & { readonly generation: number; readonly uid: string };
  readonly status?: {
    readonly observedGeneration: number;
    readonly servingGeneration?: number;
    readonly conditions: readonly Condition[];
    readonly url?: string;
    readonly address?: { readonly url: string };
    readonly targetUri?: string;
    readonly keys?: readonly { readonly name: string; readonly lastUsed?: string }[];
    readonly traffic?: TrafficStatus;
  };
}

/** A namespace of its own with an operator that watches it and keeps its table there, and one receiver. */
export interface Stage {
  readonly namespace: string;
  readonly receiver: FakeReceiver;
  operator: Operator;
  /**
   * Starts another operator in the place of the one that was stopped; `looked` is told of each key it has handled,
   * `warned` of each warning.
   */
  startOperator(told?: {
    looked?: (key: string) => void;
    warned?: (message: string) => void;
  }): Promise<Operator>;
  /** Creates or replaces a Secret. */
  secret(name: string, data: Readonly<Record<string, string>>): Promise<void>;
  /** Applies a resource. Throws what the API server says against it. */
  apply(kind: Kind, name: string, spec: object): Promise<void>;
  webhookSecret(name: string, spec?: object): Promise<void>;
  trigger(name: string, spec?: object): Promise<void>;
  remove(kind: Kind | 'Secret' | 'Service' | 'EndpointSlice', name: string): Promise<void>;
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Record<string, unknown>>;
  /** The receivers that the EndpointSlice tells of; each is a fake one on this machine. */
  receivers(...ready: readonly FakeReceiver[]): Promise<void>;
  /** Resolves as soon as the resource is as asked. */
  until(kind: Kind, name: string, is: (shown: Shown) => boolean): Promise<Shown>;
  /** Resolves as soon as `Ready` is told for the newest generation with this reason. */
  ready(kind: Kind, name: string, reason: string): Promise<Condition>;
  /** Resolves as soon as the routing table, read as a receiver reads it, is as asked. */
  table(is: (entries: readonly Entry[], revision: number) => boolean): Promise<readonly Entry[]>;
  newReceiver(): Promise<FakeReceiver>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface SecretObject extends Watchable {
  readonly data?: Readonly<Record<string, string>>;
}

/** Sets the stage; what it opens is closed at its end. */
export async function setStage(server: Connection): Promise<Stage> {
  const cleanup = new AsyncDisposableStack();
  const api = cleanup.use(createApi(server));
  const { name: namespace } = cleanup.use(await createNamespace(api, 'operator'));
  const dispatcher = new Agent();
  cleanup.defer(() => dispatcher.destroy());
  const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
  cleanup.defer(() => client.close());
  const token = (): Promise<string> => readAdminToken(client, namespace, () => 'made-by-the-receiver');
  const newReceiver = async (): Promise<FakeReceiver> => cleanup.use(await startFakeReceiver(token));
  const receiver = await newReceiver();

  const listeners = new Set<() => void>();
  const watches: Partial<Record<Kind | 'Secret', Watch<unknown>>> = {};
  for (const kind of ['WebhookSecret', 'EventTrigger', 'EventBridge', 'Secret'] as const) {
    const watch = createWatch<Watchable, unknown>({
      client,
      collection: kind === 'Secret' ? { path: corePath('secrets', namespace) } : resourcesOf(kind, namespace),
      keep: (object) => object,
      changed: () => {
        for (const listener of listeners) listener();
      },
      log: SILENT,
      now: Date.now,
      random: Math.random,
    });
    watch.start();
    cleanup.defer(() => watch.stop());
    watches[kind] = watch;
  }

  /** Resolves with the first answer other than undefined. */
  function when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const listener = (): void => {
        const found = look();
        if (found === undefined) return;
        listeners.delete(listener);
        resolve(found);
      };
      listeners.add(listener);
      listener();
    });
  }

  async function call(method: string, path: string, body?: unknown, contentType?: string) {
    const answer = await api.call(method, path, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${String(answer.body['message'])}`);
    return answer.body;
  }

  const paths: Readonly<Record<Kind | 'Secret' | 'Service' | 'EndpointSlice', string>> = {
    WebhookSecret: resourcesOf('WebhookSecret', namespace).path,
    EventTrigger: resourcesOf('EventTrigger', namespace).path,
    EventBridge: resourcesOf('EventBridge', namespace).path,
    Secret: corePath('secrets', namespace),
    Service: corePath('services', namespace),
    EndpointSlice: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
  };
  const APPLY = 'application/apply-patch+yaml';
  const AS_USER = '?fieldManager=test&force=true';

  function readTable(): { readonly entries: readonly Entry[]; readonly revision: number } | undefined {
    const bytesOf = (name: string): Buffer | undefined => {
      const secret = watches.Secret?.get(`${namespace}/${name}`) as SecretObject | undefined;
      const data = secret?.data?.[SECRET_DATA_KEY];
      return data === undefined ? undefined : Buffer.from(data, 'base64');
    };
    const index = bytesOf(INDEX_SECRET_NAME);
    if (index === undefined) return undefined;
    const { digests, revision } = JSON.parse(index.toString()) as TableIndex;
    const entries: Entry[] = [];
    for (const [shard, digest] of Object.entries(digests)) {
      const bytes = bytesOf(shardSecretName(Number(shard)));
      // The index comes last: until then a receiver stays with what it has.
      if (bytes === undefined || digestOf(bytes) !== digest) return undefined;
      entries.push(...decodeShard(bytes));
    }
    return { entries, revision };
  }

  const stage: Stage = {
    namespace,
    receiver,
    operator: undefined as never,
    newReceiver,
    async startOperator(told) {
      const ask = createAsk(dispatcher);
      const askKeyUse = createAskItems<KeyUseAnswer>(dispatcher, 'keys');
      const askBridges = createAskItems<BridgeReport>(dispatcher, 'bridges');
      const askTraffic = createAskItems<TrafficItem>(dispatcher, 'traffic');
      // An EndpointSlice takes no loopback address: the port tells which fake receiver is meant.
      const loopback = (url: string): string => `http://127.0.0.1:${new URL(url).port}`;
      const operator = createOperator({
        kubeConfig: kubeConfigFromText(server.kubeconfig),
        namespace,
        watchNamespace: namespace,
        receiverService: SERVICE,
        publicUrl: 'https://hooks.example.com',
        clusterUrl: 'http://receiver.signalbox.svc.cluster.local',
        clusterDomain: 'cluster.local',
        check: compileEntry,
        egress: (entry) => egressFindings(entry, {}),
        ask: (question) => ask({ ...question, url: loopback(question.url) }),
        askKeyUse: (question) => askKeyUse({ ...question, url: loopback(question.url) }),
        askBridges: (question) => askBridges({ ...question, url: loopback(question.url) }),
        bridgesEveryMs: 100,
        keyUseEveryMs: 50,
        askTraffic: (question) => askTraffic({ ...question, url: loopback(question.url) }),
        trafficEveryMs: 50,
        makeToken: () => 'made-by-the-operator',
        canGenerate: true,
        randomBytes,
        ...(told?.looked && { metrics: { queue: { waited() {}, worked: told.looked }, answered() {} } }),
        log: { ...SILENT, warn: (_: object, message: string) => told?.warned?.(message) },
        now: Date.now,
        random: Math.random,
      });
      stage.operator = operator;
      await operator.start();
      return operator;
    },
    async secret(name, data) {
      const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
      await call('DELETE', `${paths.Secret}/${name}`).catch(() => undefined);
      await call('POST', paths.Secret, body);
    },
    async apply(kind, name, spec) {
      const body = { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec };
      const written = await call('PATCH', `${paths[kind]}/${name}${AS_USER}`, body, APPLY);
      const { uid, generation } = written['metadata'] as Shown['metadata'];
      // What is asked of it next is asked of this generation, not of what the watch showed before.
      await stage.until(
        kind,
        name,
        ({ metadata }) => metadata.uid === uid && metadata.generation >= generation,
      );
    },
    webhookSecret: (name, spec = {}) =>
      stage.apply('WebhookSecret', name, {
        scheme: 'Emporix',
        secrets: [{ name: 'current', secretKeyRef: { name: 'keys', key: 'current' } }],
        ...spec,
      }),
    trigger: (name, spec = {}) =>
      stage.apply('EventTrigger', name, {
        from: [{ webhookSecret: { name: 'hooks' } }],
        target: { sink: { uri: 'http://sink.example/in' } },
        ...spec,
      }),
    async remove(kind, name) {
      await call('DELETE', `${paths[kind]}/${name}`);
    },
    call,
    async receivers(...ready) {
      const slices = ready.map(({ port }, i) => ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `receiver-${port}`, namespace, labels: { 'kubernetes.io/service-name': SERVICE } },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: [`10.0.0.${i + 1}`],
            conditions: { ready: true },
            targetRef: { name: `receiver-${i}` },
          },
        ],
        ports: [{ name: 'admin', port }],
      }));
      await call('DELETE', paths.EndpointSlice);
      for (const slice of slices)
        await call('PATCH', `${paths.EndpointSlice}/${slice.metadata.name}${AS_USER}`, slice, APPLY);
    },
    until: (kind, name, is) =>
      when(() => {
        const shown = watches[kind]?.get(`${namespace}/${name}`) as Shown | undefined;
        return shown !== undefined && is(shown) ? shown : undefined;
      }),
    async ready(kind, name, reason) {
      const told = (shown: Shown): Condition | undefined =>
        shown.status?.conditions.find((one) => one.type === 'Ready' && one.reason === reason);
      const shown = await stage.until(
        kind,
        name,
        (one) => told(one)?.observedGeneration === one.metadata.generation,
      );
      return told(shown) as Condition;
    },
    table: (is) =>
      when(() => {
        const table = readTable();
        return table !== undefined && is(table.entries, table.revision) ? table.entries : undefined;
      }),
    async [Symbol.asyncDispose]() {
      await stage.operator?.stop();
      await cleanup.disposeAsync();
    },
  };
  await stage.receivers(receiver);
  return stage;
}

/** The endpoint of that name in a table. */
export function endpoint(entries: readonly Entry[], name: string): EndpointEntry | undefined {
  return entries.find((entry) => entry.kind === 'WebhookSecret' && entry.name === name) as
    | EndpointEntry
    | undefined;
}

/** The trigger of that name in a table. */
export function trigger(entries: readonly Entry[], name: string): TriggerEntry | undefined {
  return entries.find((entry) => entry.kind === 'EventTrigger' && entry.name === name) as
    | TriggerEntry
    | undefined;
}
