import type { Finding } from '../errors.ts';
import { buildIndex, type Index } from '../match/index.ts';
import { bearerToken } from '../verify/bearer.ts';
import type { JwksSource } from '../verify/jwks-source.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import { type BearerIndex, buildBearerIndex } from './bearer-index.ts';
import { difference } from './difference.ts';
import { changeEntrances, type Entrances } from './entrances.ts';
import { patchMap } from './patched-map.ts';
import {
  type Compiled,
  compileRunning,
  type RunningBridge,
  type RunningEndpoint,
  type RunningTrigger,
} from './running.ts';
import type { StreamRoutes } from './stream-routes.ts';
import { type Entry, entryKey, type RoutingTable } from './table.ts';

export type { ReadEvents, RunningBridge, RunningEndpoint, RunningTrigger } from './running.ts';

/** The table in force, compiled. Immutable: a new table makes a new Runtime, which shares what did not change. */
export interface Runtime {
  readonly revision: number;
  endpoint(source: string): RunningEndpoint | undefined;
  /**
   * The endpoint whose Bearer secret a request shows, for the paths that name none (`/ojs/v1/cloudevents`). It only
   * routes: the endpoint's own verifier decides.
   */
  bearerEndpoint(request: Pick<SignedRequest, 'headers' | 'url'>): RunningEndpoint | undefined;
  trigger(key: string): RunningTrigger | undefined;
  /** The triggers that read from an entrance and send what they take, indexed. */
  routes(entrance: string): Index<RunningTrigger>;
  /** The value streams that read from it; undefined where there is none. */
  streams(entrance: string): StreamRoutes | undefined;
  /** All triggers that read from it, one by one, for who asks each of them. */
  readers(entrance: string): readonly RunningTrigger[];
  readonly triggers: ReadonlyMap<string, RunningTrigger>;
  /** By `namespace/name`. The same map as before where no bridge changed. */
  readonly bridges: ReadonlyMap<string, RunningBridge>;
  /** The bridges whose backends call at an entrance (transport Webhook). */
  callees(entrance: string): readonly RunningBridge[];
}

/** An entry that came, went or changed. */
export interface EntryChange {
  /** `Kind/namespace/name` */
  readonly key: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** A new Runtime, and what is different in it. */
export interface NextRuntime {
  readonly runtime: Runtime;
  readonly changes: readonly EntryChange[];
  /** Keys of triggers that are new, changed or gone. */
  readonly triggers: readonly string[];
  /** Changed entries that this receiver cannot run although the operator published them (a newer operator). */
  readonly faults: readonly { readonly entry: string; readonly finding: Finding }[];
}

type Lookup<V> = ReadonlyMap<string, V>;

interface BuiltRuntime extends Runtime {
  readonly entries: readonly Entry[];
  readonly compiled: Lookup<Compiled>;
  readonly endpoints: Endpoints;
  readonly entrances: Entrances;
  readonly calls: ReadonlyMap<string | undefined, readonly RunningBridge[]>;
}

/** Endpoints by source. */
interface Endpoints {
  readonly bySource: Lookup<RunningEndpoint>;
  /** Of all entries: more than sources where two claim the same one. */
  readonly count: number;
  bearers(): BearerIndex<RunningEndpoint>;
}

/** An entry's change, compiled. */
interface Change {
  readonly key: string;
  readonly before: Compiled | undefined;
  readonly after: Compiled | undefined;
}

const NO_ROUTES: Index<RunningTrigger> = buildIndex<RunningTrigger>([]);
const NOTHING: Pick<BuiltRuntime, 'entries' | 'compiled' | 'endpoints' | 'entrances' | 'calls'> &
  Pick<Runtime, 'triggers' | 'bridges'> = {
  entries: [],
  compiled: new Map(),
  endpoints: endpointsOf(new Map(), 0),
  triggers: new Map(),
  bridges: new Map(),
  entrances: new Map(),
  calls: new Map(),
};

/** What runs before any table has come. */
export const EMPTY_RUNTIME: Runtime = buildRuntime({ version: 1, revision: 0, entries: [] });

/** Compiles a table. `jwks` is where issuers' keys come from. */
export function buildRuntime(table: RoutingTable, jwks?: JwksSource): Runtime {
  return nextRuntime(table, undefined, jwks).runtime;
}

/** Compiles what is different from the table before; all else is taken over, and not looked at. */
export function nextRuntime(
  table: RoutingTable,
  previous: Runtime | undefined,
  jwks: JwksSource | undefined,
): NextRuntime {
  const before = (previous as BuiltRuntime | undefined) ?? NOTHING;
  const changes = changesOf(before, table.entries, jwks);
  const compiled = patchMap(before.compiled, new Map(changes.map(({ key, after }) => [key, after])));
  const all = { entries: table.entries, compiled };
  const triggers = triggerChanges(changes);
  return {
    runtime: runtimeOf(table.revision, {
      ...all,
      endpoints: changeEndpoints(before.endpoints, changes, all),
      triggers: patchMap(before.triggers, triggers),
      entrances: changeEntrances(
        before.entrances,
        [...triggers].map(([key, after]) => ({ before: before.triggers.get(key), after })),
      ),
      ...changeBridges(before, changes),
    }),
    changes: changes.map(({ key, ...one }) => ({ key, before: one.before?.entry, after: one.after?.entry })),
    triggers: [...triggers.keys()],
    faults: changes.flatMap(({ key, after }) =>
      (after?.findings ?? []).map((finding) => ({ entry: key, finding })),
    ),
  };
}

function runtimeOf(revision: number, parts: typeof NOTHING): BuiltRuntime {
  const { endpoints, triggers, entrances, calls } = parts;
  return {
    ...parts,
    revision,
    endpoint: (source) => endpoints.bySource.get(source),
    bearerEndpoint(request) {
      const token = bearerToken(request);
      return token === undefined ? undefined : endpoints.bearers().find(token);
    },
    trigger: (key) => triggers.get(key),
    routes: (entrance) => entrances.get(entrance)?.index ?? NO_ROUTES,
    streams: (entrance) => entrances.get(entrance)?.streams,
    readers: (entrance) => entrances.get(entrance)?.list() ?? [],
    callees: (entrance) => calls.get(entrance) ?? [],
  };
}

function changesOf(
  before: Pick<BuiltRuntime, 'entries' | 'compiled'>,
  entries: readonly Entry[],
  jwks: JwksSource | undefined,
): readonly Change[] {
  const { left, arrived } = difference(before.entries, entries);
  const changes = new Map<string, Change>();
  for (const entry of left) {
    const key = entryKey(entry);
    changes.set(key, { key, before: before.compiled.get(key), after: undefined });
  }
  for (const entry of arrived) {
    const key = entryKey(entry);
    const old = before.compiled.get(key);
    changes.set(key, { key, before: old, after: reuse(entry, old) ?? compileRunning(entry, jwks) });
  }
  return [...changes.values()].filter((change) => change.before !== change.after);
}

function reuse(entry: Entry, before: Compiled | undefined): Compiled | undefined {
  return before !== undefined && JSON.stringify(before.entry) === JSON.stringify(entry) ? before : undefined;
}

function triggerChanges(changes: readonly Change[]): ReadonlyMap<string, RunningTrigger | undefined> {
  const changed = new Map<string, RunningTrigger | undefined>();
  for (const { before } of changes)
    if (before?.trigger !== undefined) changed.set(before.trigger.key, undefined);
  for (const { after } of changes)
    if (after?.trigger !== undefined) changed.set(after.trigger.key, after.trigger);
  return changed;
}

function changeEndpoints(
  before: Endpoints,
  changes: readonly Change[],
  all: Pick<BuiltRuntime, 'entries' | 'compiled'>,
): Endpoints {
  const left = changes.flatMap((change) => change.before?.endpoint ?? []);
  const came = changes.flatMap((change) => change.after?.endpoint ?? []);
  if (left.length + came.length === 0) return before;
  const count = before.count - left.length + came.length;
  const changed = new Map<string, RunningEndpoint | undefined>();
  for (const { entry } of left) changed.set(entry.source, undefined);
  for (const endpoint of came) changed.set(endpoint.entry.source, endpoint);
  const patched = patchMap(before.bySource, changed);
  const oneEach = patched.size === count && before.bySource.size === before.count;
  return endpointsOf(oneEach ? patched : bySourceInOrder(all), count);
}

/** Where two claim one source, the later in the table has it. */
function bySourceInOrder({
  entries,
  compiled,
}: Pick<BuiltRuntime, 'entries' | 'compiled'>): Lookup<RunningEndpoint> {
  const endpoints = entries.flatMap((entry) => compiled.get(entryKey(entry))?.endpoint ?? []);
  return new Map(endpoints.map((endpoint) => [endpoint.entry.source, endpoint]));
}

function endpointsOf(bySource: Lookup<RunningEndpoint>, count: number): Endpoints {
  let bearers: BearerIndex<RunningEndpoint> | undefined;
  return {
    bySource,
    count,
    bearers() {
      bearers ??= buildBearerIndex(bySource.values());
      return bearers;
    },
  };
}

function changeBridges(
  before: Pick<BuiltRuntime, 'bridges' | 'calls'>,
  changes: readonly Change[],
): Pick<BuiltRuntime, 'bridges' | 'calls'> {
  const changed = new Map<string, RunningBridge | undefined>();
  for (const { before: old } of changes)
    if (old?.bridge !== undefined) changed.set(old.bridge.key, undefined);
  for (const { after } of changes)
    if (after?.bridge !== undefined) changed.set(after.bridge.key, after.bridge);
  if (changed.size === 0) return { bridges: before.bridges, calls: before.calls };
  const bridges = patchMap(before.bridges, changed);
  return { bridges, calls: Map.groupBy(bridges.values(), calledAt) };
}

/** The entrance at which a bridge's backend calls; none for a bridge that reads by itself. */
function calledAt({ entry }: RunningBridge): string | undefined {
  const { transport, webhookSecret } = entry.source;
  return transport === 'Webhook' ? `WebhookSecret/${entry.namespace}/${webhookSecret ?? ''}` : undefined;
}
