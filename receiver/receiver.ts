import { randomBytes } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { type Bridges, createBridges } from './bridge/bridges.ts';
import { createBridgeEntrance } from './bridge/entrance.ts';
import { measureBridges } from './bridge/metrics.ts';
import { BACKLOG_BOUNDS, type Backlog, createBacklog } from './deliver/backlog.ts';
import { createClient } from './deliver/client.ts';
import type { EgressPolicy, OwnAddress } from './deliver/egress.ts';
import { createEngine, type Traces } from './deliver/engine.ts';
import type { DeliveryEngine, Routes } from './deliver/engine-contract.ts';
import type { DeliveryObserver } from './deliver/observer.ts';
import type { SetTimer } from './deliver/outbound.ts';
import { ownAddresses } from './deliver/own-addresses.ts';
import { createRedrive } from './deliver/redrive.ts';
import { compileShape } from './deliver/shape/compile-shape.ts';
import { viewData } from './event/data-view.ts';
import { adminApp } from './http/admin.ts';
import { adminTokenIn } from './http/admin-token.ts';
import { createAdmission } from './http/admission.ts';
import { refusalOf } from './http/client-errors.ts';
import { clusterHot, clusterRest } from './http/cluster.ts';
import { serveHot } from './http/ingest.ts';
import type { HotPath } from './http/intake.ts';
import { type ListenAddress, type Listener, openListener } from './http/listener.ts';
import { publicHot, publicRest } from './http/public.ts';
import { SLOWEST, watchSlowSenders } from './http/slow-senders.ts';
import { untilReady } from './http/until-ready.ts';
import type { Journal } from './journal/journal.ts';
import { type JournalPlace, openJournal } from './journal/open-journal.ts';
import { sharedJournal } from './journal/shared-journal.ts';
import { countBacklog } from './observe/count-backlog.ts';
import type { Log } from './observe/log.ts';
import { logged } from './observe/logged.ts';
import { createMetrics } from './observe/metrics.ts';
import { recorded } from './observe/recorded.ts';
import { createRefusalLog, REFUSALS_KEPT } from './observe/refusal-log.ts';
import { createRepeatLog, REPEATS_KEPT } from './observe/repeat-log.ts';
import type { TraceContext } from './observe/trace-context.ts';
import type { Tracing } from './observe/tracing.ts';
import { createTraffic } from './observe/traffic.ts';
import { createTriggerBacklog } from './observe/trigger-backlog.ts';
import { createPipeline } from './pipeline.ts';
import { createRenderers, type Renderers } from './routing/renderers.ts';
import { createRevisionGate } from './routing/revision-gate.ts';
import { EMPTY_RUNTIME, nextRuntime, type Runtime } from './routing/runtime.ts';
import type { RoutingTable } from './routing/table.ts';
import { createStreams, type Streams } from './streams/streams.ts';
import { createTimers } from './streams/timers.ts';
import { createClusterTokens, type IssuerDocuments } from './verify/cluster-tokens.ts';
import { fetchJwksBy } from './verify/fetch-jwks.ts';
import { createJwksSource, type FetchJwks } from './verify/jwks-source.ts';
import { createKeyUse } from './verify/key-use.ts';

/** Everything a receiver needs to be told. */
export interface ReceiverOptions {
  /** Holds the embedded journal, the last good table and the admin token. */
  readonly dataDirectory: string;
  readonly public: ListenAddress;
  readonly cluster: ListenAddress;
  readonly admin: ListenAddress;
  /** Left out or empty: the one in the data directory, made where there is none. */
  readonly adminToken?: string;
  readonly egress: EgressPolicy;
  /** Whose tokens count at cluster addresses that ask for one; an address is asked by OpenID Connect discovery. */
  readonly issuer?: string | IssuerDocuments;
  /** Deliveries that may wait in the journal; at so many, senders are told to come back. Left out: BACKLOG_BOUNDS. */
  readonly maxBacklog?: number;
  /** Where the journal is, how large it may be, and how long it keeps what is done. Left out: embedded, its defaults. */
  readonly journal?: Omit<JournalPlace, 'directory' | 'log'>;
  readonly log: Log;
  /** Left out: nothing is traced. Closed with the receiver. */
  readonly tracing?: Tracing | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
}

/** A running receiver. It refuses events with 503 until it was given its first table. */
export interface Receiver {
  /** Puts a table in force: what arrives from now on is routed by it. Restarts nothing. */
  apply(table: RoutingTable): void;
  /** The revision in force; 0 before the first table. */
  readonly revision: number;
  /** `http://host:port` of each listener, with the ports that were taken. */
  readonly addresses: { readonly public: string; readonly cluster: string; readonly admin: string };
  /** Drains: takes no new request, ends what is under way, leaves the rest in the journal. */
  close(): Promise<void>;
}

/** Requests under way at once whose body is read. */
const PLACES = 2048;
/** Bytes of bodies that are read or wait for their answer. */
const BODY_BYTES = 256 << 20;
/** Compiled Shapes that are kept for deliveries under way. */
const RENDERERS = 20_000;
/** What streams have while the engine is not made yet: the journal keeps what they deliver. */
const NO_ENGINE: Pick<DeliveryEngine, 'room' | 'hand' | 'due'> = {
  room: () => false,
  hand: () => undefined,
  due: () => undefined,
};
/** Milliseconds that requests and attempts under way have to end when the receiver closes. */
const GRACE_MS = 10_000;

const setTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

/**
 * Opens the journal and the listeners.
 * @throws JournalError, ListenError: nothing is left open
 */
export async function createReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { log, now } = options;
  const journal = await openJournal({ ...options.journal, directory: options.dataDirectory, log });
  const gate = createRevisionGate();
  let runtime: Runtime = EMPTY_RUNTIME;
  /** When the table in force was put in force. */
  let since = 0;
  let engine: DeliveryEngine | undefined;
  let bridges: Bridges | undefined;
  const backlog = createBacklog({ most: options.maxBacklog ?? BACKLOG_BOUNDS.most });
  const metrics = createMetrics({
    revision: () => runtime.revision,
    held: () => engine?.held ?? 0,
    untried: () => backlog.untried,
    stats: () => journal.stats(),
    instances: () => journal.countRows('instance'),
    now,
  });
  const keyUse = createKeyUse();
  const hot: { public?: HotPath; cluster?: HotPath } = {};
  const ready = () => runtime !== EMPTY_RUNTIME;
  const refusals = createRefusalLog(REFUSALS_KEPT);
  const repeats = createRepeatLog(REPEATS_KEPT);
  const triggerBacklog = createTriggerBacklog(await countBacklog(journal, log));
  const traffic = createTraffic(triggerBacklog, sharedJournal(options.journal?.url));
  const observer = recorded(logged(metrics, log), { refusals, repeats, traffic, triggerBacklog, now });
  const clientError = (error: NodeJS.ErrnoException): void => {
    const refusal = refusalOf(error, now());
    if (refusal !== undefined) observer.rejected(refusal);
  };
  const rest = { runtime: () => runtime, observer, now };
  // An empty one would let everybody in.
  const token = options.adminToken || (await adminTokenIn(options.dataDirectory));
  const notReady = () => (ready() ? undefined : 'no routing table has come yet');
  const inForce = () => ({ runtime, since });
  const redrive = createRedrive({
    journal,
    now,
    exists: (trigger, step) => routes.route(trigger, step) !== undefined,
    due: (at) => engine?.due(at),
    brought: triggerBacklog.added,
    log,
  });
  const renderers = createRenderers(journal, RENDERERS);
  const streams = createStreams({
    journal,
    engine: () => engine ?? NO_ENGINE,
    renderers,
    runtime: () => runtime,
    due: (at) => timers.wake(at),
    backlog,
    observer,
    now,
    log,
  });
  const timers = createTimers({ journal, elapsed: streams.elapsed, now, setTimer, log });
  const listBridges = () => bridges?.list() ?? [];
  const shown = {
    journal,
    bridges: listBridges,
    streams,
    refusals,
    repeats,
    traffic,
    redrive,
    keyUse,
    registry: metrics.registry,
    gate,
    inForce,
  };
  const admin = adminApp({ ...shown, notReady, token, log });
  const slow = watchSlowSenders(SLOWEST);
  const admission = createAdmission({ places: PLACES, bytes: BODY_BYTES });
  const door = { admission, slow, observer, now };
  const publicPath = untilReady(ready, () => hot.public);
  const clusterPath = untilReady(ready, () => hot.cluster);
  const listeners = await openAll(journal, [
    () =>
      openListener('public', options.public, serveHot(publicPath, door), publicRest(rest), {
        front: { path: publicPath, door },
      }),
    () =>
      openListener('cluster', options.cluster, serveHot(clusterPath, door), clusterRest(rest), {
        front: { path: clusterPath, door },
      }),
    () => openListener('admin', options.admin, () => false, admin),
  ]);
  for (const listener of listeners.slice(0, 2)) listener.watchErrors(clientError);
  const own = [...(options.egress.own ?? []), ...ownAddresses(listeners.map(boundTo), interfaceAddresses())];
  const client = createClient({ egress: { ...options.egress, own }, setTimer });
  const jwks = createJwksSource(fetchJwksBy(client));
  const tokens = createClusterTokens(documentsOf(options.issuer, fetchJwksBy(client)));
  const routes = routesOf(() => runtime, renderers.find, streams.renderer);
  const deliveryObserver: DeliveryObserver = {
    ...metrics,
    tried: () => backlog.tried(),
    ended(trigger, state) {
      triggerBacklog.ended(trigger);
      traffic.ended(trigger, state);
    },
  };
  const running = createEngine({
    ...engineParts(options, deliveryObserver),
    journal,
    routes,
    client,
    tasks: streams,
    traces: tracesOf(options.tracing, journal),
  });
  engine = running;
  const bridgeEntrance = createBridgeEntrance({
    journal,
    engine: running,
    backlog,
    observer,
    renderers,
    streams,
    runtime: () => runtime,
    now,
  });
  const bridging = createBridges({
    journal,
    client,
    write: bridgeEntrance,
    counted: measureBridges(metrics.registry, listBridges),
    holder: `${hostname()}:${resolve(options.dataDirectory)}`,
    now,
    random: options.random,
    randomBytes,
    setTimer,
    log,
  });
  bridges = bridging;
  journal.watch(() => running.due(now()));
  const pipeline = createPipeline({
    journal,
    bridge: bridgeEntrance,
    engine: running,
    backlog,
    tracing: options.tracing,
    observer,
    renderers,
    streams,
    keyUse,
    tokens,
    now,
    runtime: () => runtime,
  });
  hot.public = publicHot({ runtime: rest.runtime, pipeline });
  hot.cluster = clusterHot({ runtime: rest.runtime, pipeline });
  const stopSampling = sampleRegularly(backlog, journal, now);
  const stopSweeping = regularly(slow.sweep, SLOWEST.everyMs);
  const stopPruning = pruneRegularly(journal, now, log);

  return {
    apply(table) {
      const first = !ready();
      const next = nextRuntime(table, runtime, jwks);
      const sameBridges = next.runtime.bridges === runtime.bridges;
      runtime = next.runtime;
      since = now();
      for (const { entry, finding } of next.faults)
        log.error({ entry, ...finding }, 'an entry of the routing table cannot run here');
      keyUse.tableChanged(next.changes);
      traffic.tableChanged(next.changes);
      gate.passed(table.revision);
      if (first) {
        running.start();
        timers.start();
      }
      streams.routesChanged();
      running.routesChanged(next.triggers);
      if (!sameBridges) bridging.apply(runtime.bridges);
    },
    get revision() {
      return runtime.revision;
    },
    addresses: { public: urlOf(listeners, 0), cluster: urlOf(listeners, 1), admin: urlOf(listeners, 2) },
    async close() {
      stopPruning();
      await Promise.all(listeners.slice(0, 2).map((listener) => listener.close(GRACE_MS)));
      stopSweeping();
      await bridging.stop();
      await timers.stop();
      stopSampling();
      await running.drain(GRACE_MS);
      await streams.drain();
      await client.close();
      await listeners[2]?.close(0);
      await journal.close();
      await options.tracing
        ?.close()
        .catch((error: unknown) => log.warn({ error: String(error) }, 'spans were lost'));
    },
  };
}

/** What is read back from the journal finds its trace in its event's record. */
function tracesOf(tracing: Tracing | undefined, journal: Journal): Traces | undefined {
  if (tracing === undefined) return undefined;
  const contextOf = async (event: number): Promise<TraceContext | undefined> => {
    // Without its record the delivery is made all the same, as a trace of its own.
    const found = await journal.event(event).catch(() => undefined);
    return found && (JSON.parse(found.row.record) as { readonly trace?: TraceContext }).trace;
  };
  return { tracing, contextOf };
}

function documentsOf(issuer: string | IssuerDocuments | undefined, fetchText: FetchJwks): IssuerDocuments {
  if (issuer === undefined) {
    const unknown = () => Promise.reject(new Error('no issuer is known here: start with --issuer'));
    return { configuration: unknown, keys: unknown };
  }
  if (typeof issuer !== 'string') return issuer;
  return {
    configuration: () => fetchText(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`),
    keys: fetchText,
  };
}

/** Opens one listener after another; where one cannot be opened, closes what was opened before. */
async function openAll(
  journal: Journal,
  opens: readonly (() => Promise<Listener>)[],
): Promise<readonly Listener[]> {
  const opened: Listener[] = [];
  try {
    for (const open of opens) opened.push(await open());
    return opened;
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close(0)));
    await journal.close();
    throw error;
  }
}

function boundTo({ address }: Listener): OwnAddress {
  return { address: address.address, port: address.port };
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

function urlOf(listeners: readonly Listener[], at: number): string {
  return listeners[at]?.url ?? '';
}

function routesOf(
  runtime: () => Runtime,
  renderer: Renderers['find'],
  stepRenderer: Streams['renderer'],
): Routes {
  return {
    renderer: (shape, task) => (task === undefined ? renderer(shape) : stepRenderer(shape, task)),
    route(key, step) {
      const entry = runtime().trigger(key)?.entry;
      const target = step === undefined ? entry : entry?.stream?.steps.find(({ name }) => name === step);
      if (entry === undefined || target === undefined) return undefined;
      return { suspend: entry.suspend, destination: target.destination, policy: target.policy };
    },
  };
}

function engineParts({ now, random, log }: ReceiverOptions, observer: DeliveryObserver) {
  const asItIs = compileShape({ sink: { format: 'binary' } });
  if (!asItIs.ok) throw new Error('the plain Shape does not compile');
  return { deadLetterRenderer: asItIs.value, view: viewData, now, random, log, setTimer, observer };
}

const SAMPLE_EVERY_MS = 1000;

/** Tells the backlog how it stands; a journal that cannot be asked now leaves it as it was. */
function sampleRegularly(backlog: Backlog, journal: Journal, now: () => number): () => void {
  let before = performance.eventLoopUtilization();
  return regularly(() => {
    const current = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(current, before);
    before = current;
    journal.stats().then(
      (stats) => backlog.sample({ backlog: stats.backlog, busy, now: now() }),
      () => undefined,
    );
  }, SAMPLE_EVERY_MS);
}

const PRUNE_EVERY_MS = 60_000;

function pruneRegularly(journal: Journal, now: () => number, log: Log): () => void {
  return regularly(() => {
    journal
      .prune(now())
      .catch((error: unknown) => log.warn({ error: String(error) }, 'the journal could not be pruned'));
  }, PRUNE_EVERY_MS);
}

function regularly(work: () => void, everyMs: number): () => void {
  const timer = setInterval(work, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
