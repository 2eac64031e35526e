import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Express } from 'express';
import { type Bridges, createBridges } from './bridge/bridges.ts';
import { createBridgeEntrance } from './bridge/entrance.ts';
import { measureBridges } from './bridge/metrics.ts';
import { startChores } from './chores.ts';
import { BACKLOG_BOUNDS, createBacklog } from './deliver/backlog.ts';
import { createClient } from './deliver/client.ts';
import type { EgressPolicy } from './deliver/egress.ts';
import { createEngine } from './deliver/engine.ts';
import type { DeliveryEngine } from './deliver/engine-contract.ts';
import type { DeliveryObserver } from './deliver/observer.ts';
import { systemTimer as setTimer } from './deliver/outbound.ts';
import { createRedrive } from './deliver/redrive.ts';
import { compileShape } from './deliver/shape/compile-shape.ts';
import { storedTraces } from './deliver/stored-traces.ts';
import { viewData } from './event/data-view.ts';
import { adminApp } from './http/admin.ts';
import { adminTokenIn } from './http/admin-token.ts';
import { createAdmission } from './http/admission.ts';
import { refusalOf } from './http/client-errors.ts';
import { clusterHot, clusterRest } from './http/cluster.ts';
import { serveHot } from './http/ingest.ts';
import type { HotPath } from './http/intake.ts';
import { type ListenAddress, openListener } from './http/listener.ts';
import { openAll, reachedAt } from './http/listeners.ts';
import { publicHot, publicRest } from './http/public.ts';
import { SLOWEST, watchSlowSenders } from './http/slow-senders.ts';
import { untilReady } from './http/until-ready.ts';
import { type JournalPlace, openJournal } from './journal/open-journal.ts';
import { sharedJournal } from './journal/shared-journal.ts';
import type { Log } from './observe/log.ts';
import { createObserved } from './observe/observed.ts';
import type { RefusalLimits } from './observe/refusal-bounds.ts';
import type { Tracing } from './observe/tracing.ts';
import { createPipeline } from './pipeline.ts';
import { deliveryRoutes } from './routing/delivery-routes.ts';
import { createRenderers } from './routing/renderers.ts';
import { createRevisionGate } from './routing/revision-gate.ts';
import { EMPTY_RUNTIME, nextRuntime, type Runtime } from './routing/runtime.ts';
import type { RoutingTable } from './routing/table.ts';
import { createStreams } from './streams/streams.ts';
import { createTimers } from './streams/timers.ts';
import { createClusterTokens, type IssuerDocuments } from './verify/cluster-tokens.ts';
import { fetchJwksBy } from './verify/fetch-jwks.ts';
import { issuerDocuments } from './verify/issuer-documents.ts';
import { createJwksSource } from './verify/jwks-source.ts';
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
  /** How much of what was refused is kept. Left out: its defaults. */
  readonly rejected?: RefusalLimits;
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
  const observed = await createObserved({
    journal,
    shared: sharedJournal(options.journal?.url),
    receiver: randomBytes(4).toString('hex'),
    rejected: options.rejected,
    revision: () => runtime.revision,
    held: () => engine?.held ?? 0,
    untried: () => backlog.untried,
    tried: () => backlog.tried(),
    now,
    log,
  });
  const { observer, refusals, repeats, traffic, triggerBacklog, recount, registry } = observed;
  const keyUse = createKeyUse();
  const hot: { public?: HotPath; cluster?: HotPath } = {};
  const ready = () => runtime !== EMPTY_RUNTIME;
  const rest = { runtime: () => runtime, observer, now };
  // An empty one would let everybody in.
  const token = options.adminToken || (await adminTokenIn(options.dataDirectory));
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
    brought: triggerBacklog.added,
    backlog,
    observer,
    now,
    log,
  });
  const timers = createTimers({ journal, elapsed: streams.elapsed, now, setTimer, log });
  const listBridges = () => bridges?.list() ?? [];
  const admin = adminApp({
    journal,
    bridges: listBridges,
    streams,
    refusals,
    repeats,
    traffic,
    recount,
    redrive,
    keyUse,
    registry,
    gate,
    inForce: () => ({ runtime, since }),
    notReady: () => (ready() ? undefined : 'no routing table has come yet'),
    token,
    log,
  });
  const slow = watchSlowSenders(SLOWEST);
  const admission = createAdmission({ places: PLACES, bytes: BODY_BYTES });
  const door = { admission, slow, observer, now };
  const publicPath = untilReady(ready, () => hot.public);
  const clusterPath = untilReady(ready, () => hot.cluster);
  const openDoor = (name: 'public' | 'cluster', path: HotPath, others: Express) => () =>
    openListener(name, options[name], serveHot(path, door), others, { front: { path, door } });
  const opening = [
    openDoor('public', publicPath, publicRest(rest)),
    openDoor('cluster', clusterPath, clusterRest(rest)),
    () => openListener('admin', options.admin, () => false, admin),
  ] as const;
  const listeners = await openAll(opening, () => journal.close());
  const [publicListener, clusterListener, adminListener] = listeners;
  const doors = [publicListener, clusterListener];
  for (const each of doors) {
    each.watchErrors((error) => {
      const refusal = refusalOf(error, now());
      if (refusal !== undefined) observer.rejected(refusal);
    });
  }
  const own = [...(options.egress.own ?? []), ...reachedAt(listeners)];
  const client = createClient({ egress: { ...options.egress, own }, setTimer });
  const jwks = createJwksSource(fetchJwksBy(client), now);
  const tokens = createClusterTokens(issuerDocuments(options.issuer, fetchJwksBy(client)), now);
  const routes = deliveryRoutes(() => runtime, renderers.find, streams.renderer);
  const running = createEngine({
    ...engineParts(options, observed.deliveries),
    journal,
    routes,
    client,
    tasks: streams,
    traces: storedTraces(options.tracing, journal),
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
    counted: measureBridges(registry, listBridges),
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
  const stopChores = startChores({ journal, backlog, slow, refusals, now, log });

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
    addresses: { public: publicListener.url, cluster: clusterListener.url, admin: adminListener.url },
    async close() {
      await Promise.all(doors.map((each) => each.close(GRACE_MS)));
      stopChores();
      await bridging.stop();
      await timers.stop();
      await running.drain(GRACE_MS);
      await streams.drain();
      await client.close();
      await adminListener.close(0);
      await refusals.close();
      await journal.close();
      await options.tracing
        ?.close()
        .catch((error: unknown) => log.warn({ error: String(error) }, 'spans were lost'));
    },
  };
}

function engineParts({ now, random, log }: ReceiverOptions, observer: DeliveryObserver) {
  const asItIs = compileShape({ sink: { format: 'binary' } });
  if (!asItIs.ok) throw new Error('the plain Shape does not compile');
  return { deadLetterRenderer: asItIs.value, view: viewData, now, random, log, setTimer, observer };
}
