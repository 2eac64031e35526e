import { networkInterfaces } from 'node:os';
import { BACKLOG_BOUNDS, type Backlog, createBacklog } from './deliver/backlog.ts';
import { createClient } from './deliver/client.ts';
import type { EgressPolicy, OwnAddress } from './deliver/egress.ts';
import { createEngine } from './deliver/engine.ts';
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
import type { Log } from './observe/log.ts';
import { logged } from './observe/logged.ts';
import { createMetrics } from './observe/metrics.ts';
import { recorded } from './observe/recorded.ts';
import { createRefusalLog, REFUSALS_KEPT } from './observe/refusal-log.ts';
import { createRepeatLog, REPEATS_KEPT } from './observe/repeat-log.ts';
import { createPipeline } from './pipeline.ts';
import { createRenderers } from './routing/renderers.ts';
import { createRevisionGate } from './routing/revision-gate.ts';
import { buildRuntime, EMPTY_RUNTIME, type Runtime } from './routing/runtime.ts';
import type { RoutingTable } from './routing/table.ts';
import { fetchJwksBy } from './verify/fetch-jwks.ts';
import { createJwksSource } from './verify/jwks-source.ts';
import { createKeyUse } from './verify/key-use.ts';

/** Everything a receiver needs to be told. */
export interface ReceiverOptions {
  /** Holds the embedded journal, the last good table and the admin token. */
  readonly dataDirectory: string;
  /** Left out: the embedded journal. */
  readonly journal?: Pick<JournalPlace, 'url' | 'passwordFile'>;
  readonly public: ListenAddress;
  readonly cluster: ListenAddress;
  readonly admin: ListenAddress;
  /** Left out: the one in the data directory, made where there is none. */
  readonly adminToken?: string;
  readonly egress: EgressPolicy;
  /** Deliveries that may wait in the journal; at so many, senders are told to come back. Left out: BACKLOG_BOUNDS. */
  readonly maxBacklog?: number;
  readonly log: Log;
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
  const backlog = createBacklog({ most: options.maxBacklog ?? BACKLOG_BOUNDS.most });
  const metrics = createMetrics({
    revision: () => runtime.revision,
    held: () => engine?.held ?? 0,
    untried: () => backlog.untried,
    stats: () => journal.stats(),
    now,
  });
  const keyUse = createKeyUse();
  const hot: { public?: HotPath; cluster?: HotPath } = {};
  const ready = () => runtime !== EMPTY_RUNTIME;
  const refusals = createRefusalLog(REFUSALS_KEPT);
  const repeats = createRepeatLog(REPEATS_KEPT);
  const observer = recorded(logged(metrics, log), { refusals, repeats });
  const clientError = (error: NodeJS.ErrnoException): void => {
    const refusal = refusalOf(error, now());
    if (refusal !== undefined) observer.rejected(refusal);
  };
  const rest = { runtime: () => runtime, observer, now };
  const token = options.adminToken ?? (await adminTokenIn(options.dataDirectory));
  const notReady = () => (ready() ? undefined : 'no routing table has come yet');
  const inForce = () => ({ runtime, since });
  const redrive = createRedrive({
    journal,
    now,
    exists: (trigger) => runtime.trigger(trigger) !== undefined,
    due: (at) => engine?.due(at),
  });
  const shown = { journal, refusals, repeats, redrive, keyUse, registry: metrics.registry, gate, inForce };
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
  const renderers = createRenderers(journal, RENDERERS);
  const routes = routesOf(() => runtime, renderers.find);
  const deliveryObserver = { ...metrics, tried: () => backlog.tried() };
  const running = createEngine({ ...engineParts(options, deliveryObserver), journal, routes, client });
  engine = running;
  journal.watch(() => running.due(now()));
  const pipeline = createPipeline({
    journal,
    engine: running,
    backlog,
    observer,
    renderers,
    keyUse,
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
      const before = runtime;
      runtime = buildRuntime(table, runtime, jwks);
      since = now();
      for (const { entry, finding } of runtime.faults)
        log.error({ entry, ...finding }, 'an entry of the routing table cannot run here');
      keyUse.retain(table.entries);
      gate.passed(table.revision);
      if (first) running.start();
      running.routesChanged(changedTriggers(before, runtime));
    },
    get revision() {
      return runtime.revision;
    },
    addresses: { public: urlOf(listeners, 0), cluster: urlOf(listeners, 1), admin: urlOf(listeners, 2) },
    async close() {
      stopPruning();
      await Promise.all(listeners.slice(0, 2).map((listener) => listener.close(GRACE_MS)));
      stopSweeping();
      stopSampling();
      await running.drain(GRACE_MS);
      await client.close();
      await listeners[2]?.close(0);
      await journal.close();
    },
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

function routesOf(runtime: () => Runtime, renderer: Routes['renderer']): Routes {
  return {
    renderer,
    route(key) {
      const entry = runtime().trigger(key)?.entry;
      return entry === undefined
        ? undefined
        : { suspend: entry.suspend, destination: entry.destination, policy: entry.policy };
    },
  };
}

function engineParts({ now, random, log }: ReceiverOptions, observer: DeliveryObserver) {
  const asItIs = compileShape({ sink: { format: 'binary' } });
  if (!asItIs.ok) throw new Error('the plain Shape does not compile');
  return { deadLetterRenderer: asItIs.value, view: viewData, now, random, log, setTimer, observer };
}

/** Triggers that are new, changed or gone. */
function changedTriggers(before: Runtime, after: Runtime): readonly string[] {
  const changed: string[] = [];
  for (const [key, trigger] of after.triggers) if (before.triggers.get(key) !== trigger) changed.push(key);
  for (const key of before.triggers.keys()) if (!after.triggers.has(key)) changed.push(key);
  return changed;
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
