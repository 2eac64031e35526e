import type { KubeConfig } from '@kubernetes/client-node';
import type { Finding } from '../receiver/errors.ts';
import { type Backoff, pause } from '../receiver/kube/backoff.ts';
import { createKubeClient } from '../receiver/kube/client.ts';
import type { Entry } from '../receiver/routing/table.ts';
import { createAdminToken } from './confirm/admin-token.ts';
import type { Ask } from './confirm/ask.ts';
import { type AskBridges, createBridgeReports } from './confirm/bridge-reports.ts';
import { createConfirmer } from './confirm/confirmer.ts';
import { type AskKeyUse, createKeyUses } from './confirm/key-uses.ts';
import { createAddressables } from './gather/addressables.ts';
import { createDependents } from './gather/dependents.ts';
import { createSecretReader } from './gather/secret-reader.ts';
import { createWorld } from './gather/world.ts';
import { createMakeSecrets } from './kube/make-secrets.ts';
import type { Log } from './log.ts';
import type { OperatorFacts, OperatorMetrics } from './observe/metrics.ts';
import { createPublisher } from './publish/publisher.ts';
import { createRoutingSecrets } from './publish/routing-secrets.ts';
import { createQueue } from './queue.ts';
import { createReconciler } from './reconcile.ts';
import { createRecorder } from './recorder.ts';
import { createStart } from './start.ts';
import { createStatusWriter } from './status-writer.ts';
import { trafficShown } from './traffic/shown.ts';
import { type AskTraffic, createTrafficReporter } from './traffic/traffic.ts';
import { createWriteTraffic } from './traffic/write-traffic.ts';

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig;
  /** Where the routing Secrets, the admin token and the receivers' Service are. */
  readonly namespace: string;
  /** The one namespace whose resources count; undefined: all. */
  readonly watchNamespace: string | undefined;
  /** The Service whose EndpointSlices name the receivers; its port `admin` is asked. */
  readonly receiverService: string;
  /** Base address of the receivers' public listener, as senders reach it; '' where it is not known. */
  readonly publicUrl: string;
  /** Base address of the receivers' in-cluster listener. */
  readonly clusterUrl: string;
  /** The cluster's DNS domain, `cluster.local` mostly. */
  readonly clusterDomain: string;
  /** The receiver's own compilers: `compileEntry`. */
  readonly check: (entry: Entry) => readonly Finding[];
  /** Destinations that the egress policy refuses: `(entry) => egressFindings(entry, policy)`. */
  readonly egress: (entry: Entry) => readonly Finding[];
  /** How a receiver is asked for its revision: `createAsk(dispatcher)`. */
  readonly ask: Ask;
  /** How a receiver is asked when its keys were last used: `createAskItems(dispatcher, 'keys')`. */
  readonly askKeyUse: AskKeyUse;
  /** Milliseconds between two such questions. Default 30 s. */
  readonly keyUseEveryMs?: number;
  /** How a receiver is asked how its bridges are: `createAskItems(dispatcher, 'bridges')`. */
  readonly askBridges: AskBridges;
  /** Milliseconds between two such questions. Default 2 s. */
  readonly bridgesEveryMs?: number;
  /** How a receiver is asked what passed at each resource: `createAskItems(dispatcher, 'traffic')`. */
  readonly askTraffic: AskTraffic;
  /** Milliseconds between two writes of one status's traffic. Default 30 s. */
  readonly trafficEveryMs?: number;
  /** Makes an admin token, should there be none yet. */
  readonly makeToken: () => string;
  /** So many unguessable bytes: keys that `spec.generate` asks for are made of them. */
  readonly randomBytes: (bytes: number) => Buffer;
  /** Whether Secrets that `spec.generate` asks for may be made. */
  readonly canGenerate: boolean;
  /** Called when much has been looked at and nothing is left: `giveBackMemory`. */
  readonly giveBack?: () => void;
  readonly metrics?: Pick<OperatorMetrics, 'queue' | 'answered'>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
}

/** The control plane: one per cluster (or per watched namespace) at a time. */
export interface Operator {
  /** Resolves when all watches have synced and every resource is queued; waits for an API server that is away. */
  start(): Promise<void>;
  /** Ends watches and workers; what is not written yet is found again by the next start. */
  stop(): Promise<void>;
  readonly health: {
    /** Everything has been read once and is queued. */
    synced(): boolean;
    /** Milliseconds since the API server last said anything. */
    staleMs(): number;
    /** The revision of the routing table that is written. */
    revision(): number;
    /** What cannot be read or written, and why. */
    trouble(): string | undefined;
    /** Keys that wait to be looked at. */
    waiting(): number;
    resources(): OperatorFacts['resources'];
  };
}

/** Reconciles under way at once: most of them wait for one and the same write of the table. */
const WORKERS = 512;
const RETRY: Backoff = { firstMs: 100, mostMs: 30_000 };
/** Everything is looked at again so often, in case a change was missed. Costs one request where nothing differs. */
const RESYNC_MS = 600_000;
/** So many looked at in a row are many. */
const MANY = 1000;
/** Receivers that run the table are asked so often whether they still do. */
const CONFIRM_AGAIN_MS = 30_000;
/** A status tells of its keys' last use at most so often. */
const KEY_USE_MS = 30_000;
/** How soon a status tells what a bridge's backend does. */
const BRIDGES_MS = 2000;
/** The same for what passed. */
const TRAFFIC_MS = 30_000;
/** What is under way may take so long to end; then its connections are cut. */
const STOP_MS = 2000;

export function createOperator(options: OperatorOptions): Operator {
  const { namespace, log, now, random } = options;
  const client = createKubeClient(options.kubeConfig, now, options.metrics?.answered);
  const dependents = createDependents();
  const recorder = createRecorder(client, log, now);
  const statusWriter = createStatusWriter(client, recorder, now);
  const secretReader = createSecretReader(client);

  const stopping = new AbortController();
  let resync: NodeJS.Timeout | undefined;
  let started = false;
  const adminToken = createAdminToken(client, namespace, options.makeToken);

  const confirmer = createConfirmer({
    ask: options.ask,
    token: adminToken,
    changed: () => {
      reconciler.receiversMoved();
      start.moved();
    },
    againMs: CONFIRM_AGAIN_MS,
    random,
  });
  const keyUses = createKeyUses({
    ask: options.askKeyUse,
    token: adminToken,
    changed: (key) => queue.add(key),
    everyMs: options.keyUseEveryMs ?? KEY_USE_MS,
  });
  const bridgeReports = createBridgeReports({
    ask: options.askBridges,
    token: adminToken,
    wanted: () => [...world.eventBridges.entries()].length > 0,
    changed: (bridge) => queue.add(`EventBridge/${bridge}`),
    everyMs: options.bridgesEveryMs ?? BRIDGES_MS,
  });
  const traffic = createTrafficReporter({
    ask: options.askTraffic,
    token: adminToken,
    write: createWriteTraffic(client),
    shown: (resource) => trafficShown(world, resource),
    log,
    everyMs: options.trafficEveryMs ?? TRAFFIC_MS,
    now,
  });
  const publisher = createPublisher({
    secrets: createRoutingSecrets(client, namespace),
    written(revision) {
      confirmer.expect(revision);
      start.moved();
    },
    log,
    now,
    random,
  });

  function again(key: string, ms: number = 0): void {
    if (ms === 0) queue.add(key);
    else queue.addAfter(key, ms);
  }

  function thingChanged(thing: string): void {
    for (const key of dependents.of(thing)) queue.add(key);
    const [kind, inNamespace = '', name = ''] = thing.split('/');
    if (kind === 'Secret' && !dependents.has(thing)) secretReader.forget(inNamespace, name);
  }

  const addressables = createAddressables({
    client,
    watchNamespace: options.watchNamespace,
    changed: thingChanged,
    log,
    now,
    random,
  });
  const world = createWorld({
    client,
    watchNamespace: options.watchNamespace,
    namespace,
    receiverService: options.receiverService,
    resourceChanged(key, written) {
      if (written === undefined) queue.add(key);
      else statusWriter.seen(key, written);
    },
    thingChanged,
    receiversChanged(receivers) {
      confirmer.receivers(receivers);
      keyUses.receivers(receivers);
      bridgeReports.receivers(receivers);
      traffic.receivers(receivers);
    },
    log,
    now,
    random,
  });
  const reconciler = createReconciler({
    sources: { world, secrets: secretReader, addressables, keyUses, bridgeReports, settings: options, now },
    publisher,
    confirmer,
    statusWriter,
    dependents,
    makeSecrets: createMakeSecrets(client, options.randomBytes),
    again,
    resyncMs: RESYNC_MS,
    now,
  });
  const queue = createQueue({
    workers: WORKERS,
    handle: reconciler.reconcile,
    failed: (key, error) =>
      log.warn({ key, error: (error as Error).message }, 'reconcile failed, trying again'),
    backoff: RETRY,
    ...(options.metrics === undefined ? {} : { observer: options.metrics.queue }),
    idle: (handled) => {
      if (handled >= MANY) options.giveBack?.();
    },
    now,
    random,
  });

  function everything(): Iterable<string> {
    const resources = [
      ...[...world.webhookSecrets.entries()].map(([key]) => `WebhookSecret/${key}`),
      ...[...world.eventTriggers.entries()].map(([key]) => `EventTrigger/${key}`),
      ...[...world.eventBridges.entries()].map(([key]) => `EventBridge/${key}`),
    ];
    // Entries whose resource went away while no operator ran are looked at, too.
    return new Set([...resources, ...publisher.keys()]);
  }

  const start = createStart({
    world,
    publisher,
    confirmer,
    prime: reconciler.prime,
    everything,
    stop: stopping.signal,
    log,
    random,
  });

  return {
    async start() {
      world.start();
      // Needed before the first receiver is: it mounts the token.
      adminToken(false).catch((error: Error) => log.warn({ error: error.message }, 'no admin token yet'));
      await start.done();
      if (stopping.signal.aborted) return;
      for (const key of everything()) queue.add(key);
      queue.start();
      started = true;
      keyUses.start();
      bridgeReports.start();
      traffic.start();
      resync = setInterval(() => {
        publisher.check();
        for (const key of everything()) queue.add(key);
      }, RESYNC_MS);
    },
    async stop() {
      stopping.abort();
      clearInterval(resync);
      keyUses.stop();
      bridgeReports.stop();
      traffic.stop();
      // The recorder last: what the queue still finishes may have something to tell.
      const finished = Promise.all([publisher.stop(), queue.stop()]).then(() => recorder.stop());
      const patience = new AbortController();
      await Promise.race([finished, pause(STOP_MS, patience.signal)]);
      patience.abort();
      // Before their connections are cut, which they would take for an outage.
      const watches = [world.stop(), addressables.stop()];
      await client.close();
      await Promise.all([finished, ...watches, confirmer.stop()]);
    },
    health: {
      synced: () => started,
      staleMs: () => world.staleMs(),
      revision: () => publisher.revision,
      trouble: () => publisher.trouble ?? world.trouble,
      waiting: () => queue.length,
      resources: () => world.ready(),
    },
  };
}
