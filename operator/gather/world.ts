import type { Kind } from '../../crds/group.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { type Collection, corePath, inNamespace, resourcesOf } from '../../receiver/kube/collection.ts';
import { createWatch, type Watch, type Watchable } from '../../receiver/kube/watch.ts';
import type { ReceiverEndpoint } from '../confirm/endpoints.ts';
import { type EndpointSlice, readyReceivers } from '../confirm/endpoints.ts';
import type { Log } from '../log.ts';
import { createReadyCounts, type ReadyCount } from '../observe/ready-counts.ts';
import type { EventBridge, EventTrigger, WebhookSecret } from '../plan/resources.ts';
import { refKey } from './addressables.ts';
import { Packed } from './packed.ts';
import type { ServiceFacts } from './service-address.ts';

/** Everything that the operator watches. */
export interface World {
  readonly webhookSecrets: Watch<Packed<WebhookSecret>>;
  readonly eventTriggers: Watch<Packed<EventTrigger>>;
  readonly eventBridges: Watch<Packed<EventBridge>>;
  /** Secrets by the version of their content; the content is not here. */
  readonly secrets: Watch<string>;
  readonly services: Watch<ServiceFacts>;
  /** The ready receivers, by slice. */
  readonly receivers: Watch<readonly ReceiverEndpoint[]>;
  /** Our resources by kind and by the status of Ready. */
  ready(): readonly ReadyCount[];
  start(): void;
  /** Resolves when all has been read once. */
  readonly synced: Promise<void>;
  stop(): Promise<void>;
  /** Milliseconds since the API server last said anything, of the watch that heard least. */
  staleMs(): number;
  /** What cannot be read, and why. */
  readonly trouble: string | undefined;
}

export interface WorldOptions {
  readonly client: KubeClient;
  /** Undefined: all namespaces. */
  readonly watchNamespace: string | undefined;
  /** Where the receivers' Service is. */
  readonly namespace: string;
  readonly receiverService: string;
  /** A resource has come, gone, or another generation: `Kind/namespace/name`. */
  readonly resourceChanged: (key: string, written: string | undefined) => void;
  /** Something that resources depend on has changed: `Secret/namespace/name`, `Ref/…`. */
  readonly thingChanged: (thing: string) => void;
  readonly receiversChanged: (receivers: readonly ReceiverEndpoint[]) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

interface Service extends Watchable {
  readonly spec?: ServiceFacts;
}

type Resource = WebhookSecret | EventTrigger | EventBridge;

export function createWorld(options: WorldOptions): World {
  const { client, watchNamespace, log, now, random } = options;
  const ready = createReadyCounts();

  function watch<Object extends Watchable, Kept>(
    collection: Collection,
    keep: (object: Object) => Kept,
    changed: (key: string, before: Kept | undefined, after: Kept | undefined) => void,
  ): Watch<Kept> {
    return createWatch<Object, Kept>({ client, collection, keep, changed, log, now, random });
  }

  function resources<R extends Resource>(kind: Kind): Watch<Packed<R>> {
    return watch<R, Packed<R>>(
      resourcesOf(kind, watchNamespace),
      (resource) => new Packed(resource),
      (key, before, after) => {
        ready.changed(kind, before?.ready, after?.ready);
        // A changed status is our own writing: neither the resource nor what names it is looked at again for it.
        const same = before?.planned === after?.planned;
        options.resourceChanged(`${kind}/${key}`, same ? after?.version : undefined);
        if (kind !== 'EventTrigger' && !same) options.thingChanged(`${kind}/${key}`);
      },
    );
  }

  const webhookSecrets = resources<WebhookSecret>('WebhookSecret');
  const eventTriggers = resources<EventTrigger>('EventTrigger');
  const eventBridges = resources<EventBridge>('EventBridge');
  const secrets = watch<Watchable, string>(
    { path: corePath('secrets', watchNamespace), metadataOnly: true },
    (secret) => secret.metadata.resourceVersion ?? '',
    (key) => options.thingChanged(`Secret/${key}`),
  );
  const services = watch<Service, ServiceFacts>(
    { path: corePath('services', watchNamespace) },
    (service) => ({
      ports: (service.spec?.ports ?? []).map(({ name, port }) => ({ name: name ?? '', port })),
    }),
    (key) => options.thingChanged(refKey({ apiVersion: 'v1', kind: 'Service' }, key)),
  );
  const receivers: Watch<readonly ReceiverEndpoint[]> = watch<EndpointSlice, readonly ReceiverEndpoint[]>(
    {
      path: `/apis/discovery.k8s.io/v1${inNamespace(options.namespace)}/endpointslices`,
      labelSelector: `kubernetes.io/service-name=${options.receiverService}`,
    },
    readyReceivers,
    () => options.receiversChanged([...receivers.entries()].flatMap(([, ready]) => ready)),
  );
  const all = [webhookSecrets, eventTriggers, eventBridges, secrets, services, receivers];

  return {
    webhookSecrets,
    eventTriggers,
    eventBridges,
    secrets,
    services,
    receivers,
    ready: ready.list,
    start() {
      for (const one of all) one.start();
    },
    synced: Promise.all(all.map((one) => one.synced)).then(() => undefined),
    async stop() {
      await Promise.all(all.map((one) => one.stop()));
    },
    staleMs: () => Math.max(...all.map((one) => one.staleMs())),
    get trouble() {
      return all.find((one) => one.trouble !== undefined)?.trouble;
    },
  };
}
