import { type CompiledBridge, compileBridge } from '../bridge/compile-bridge.ts';
import { laneOf } from '../deliver/batch-lane.ts';
import { createTokenBucket, type TokenBucket } from '../deliver/token-bucket.ts';
import type { Finding } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { isBatch, type Parsed } from '../event/parse.ts';
import { compileEventMapping, type ToEvent } from '../event/payload.ts';
import { parseBatch } from '../event/structured.ts';
import { type EventRules, LENIENT, STRICT } from '../event/validate.ts';
import { type AnchoredMatcher, compileMatcher } from '../match/compile-matcher.ts';
import { buildIndex, type Index } from '../match/index.ts';
import type { Anchor, Clause, Matcher } from '../match/matcher.ts';
import { patchIndex } from '../match/patched-index.ts';
import { type RunningStream, runningStream } from '../streams/running-stream.ts';
import { bearerToken } from '../verify/bearer.ts';
import type { JwksSource } from '../verify/jwks-source.ts';
import type { Scheme } from '../verify/scheme.ts';
import { compileVerifier, findScheme } from '../verify/schemes.ts';
import type { SignedRequest, Verifier } from '../verify/verifier.ts';
import { type BearerIndex, buildBearerIndex } from './bearer-index.ts';
import { type PinnedShape, pinnedShape } from './pinned-shape.ts';
import { buildStreamRoutes, type StreamRoutes } from './stream-routes.ts';
import {
  type BridgeEntry,
  type EndpointEntry,
  type Entry,
  entryKey,
  type RoutingTable,
  type TriggerEntry,
} from './table.ts';

/** All events of a verified request, in their order. Throws RequestError where the request as a whole brings none. */
export type ReadEvents = (request: SignedRequest, now: number, uniqueId: () => string) => readonly Parsed[];

/** An endpoint in force. */
export interface RunningEndpoint {
  readonly entry: EndpointEntry;
  /** `WebhookSecret/ns/name`: what its events' dedup keys and records name. */
  readonly entrance: string;
  readonly scheme: Scheme;
  readonly verifier: Verifier;
  readonly read: ReadEvents;
  /** What its CloudEvents must keep to. */
  readonly rules: EventRules;
  /** What is left of `limits.rate`. */
  readonly rate: TokenBucket | undefined;
}

/** A trigger in force. Its Renderer is compiled when first needed: most of ten thousand triggers never fire. */
export interface RunningTrigger {
  readonly entry: TriggerEntry;
  /** `namespace/name` */
  readonly key: string;
  /** `EventTrigger/ns/name`: its own cluster address. */
  readonly entrance: string;
  readonly matcher: Matcher;
  readonly shape: PinnedShape;
  /** Set where it is a value stream. */
  readonly stream: RunningStream | undefined;
}

/** A bridge in force. */
export interface RunningBridge extends CompiledBridge {
  readonly entry: BridgeEntry;
  /** `namespace/name` */
  readonly key: string;
  /** `EventBridge/ns/name`: what its events' dedup keys and records name, and its own sink's trigger key. */
  readonly entrance: string;
}

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
  /** By `namespace/name`. */
  readonly bridges: ReadonlyMap<string, RunningBridge>;
  /** The bridges whose backends call at an entrance (transport Webhook). */
  callees(entrance: string): readonly RunningBridge[];
  /** Entries that this receiver cannot run although the operator published them (a newer operator): left out, told. */
  readonly faults: readonly { readonly entry: string; readonly finding: Finding }[];
}

interface Compiled {
  readonly entry: Entry;
  readonly endpoint?: RunningEndpoint;
  readonly trigger?: RunningTrigger;
  readonly bridge?: RunningBridge;
  readonly findings: readonly Finding[];
}

interface BuiltRuntime extends Runtime {
  readonly compiled: ReadonlyMap<string, Compiled>;
  readonly indexes: ReadonlyMap<string, Built>;
}

/** An index as it was built, and of what. */
interface Base {
  readonly members: ReadonlySet<RunningTrigger>;
  readonly index: Index<RunningTrigger>;
}

interface Built {
  readonly members: readonly RunningTrigger[];
  /** Value streams that read from it for the sake of their jobs alone. */
  readonly jobs: readonly RunningTrigger[];
  readonly index: Index<RunningTrigger>;
  readonly streams: StreamRoutes | undefined;
  /** What `index` is, or is patched from. */
  readonly base: Base;
}

const NO_ROUTES: Index<RunningTrigger> = buildIndex<RunningTrigger>([]);

/** What runs before any table has come. */
export const EMPTY_RUNTIME: Runtime = buildRuntime({ version: 1, revision: 0, entries: [] });

/**
 * Compiles a table; entries and indexes that are the same as in `previous` are taken over as they are. `jwks` is where
 * issuers' keys come from.
 */
export function buildRuntime(table: RoutingTable, previous?: Runtime, jwks?: JwksSource): Runtime {
  const before = previous as BuiltRuntime | undefined;
  const compiled = new Map<string, Compiled>();
  for (const entry of table.entries) {
    const key = entryKey(entry);
    compiled.set(key, reuse(entry, before?.compiled.get(key)) ?? compile(entry, jwks));
  }
  const endpoints = new Map<string, RunningEndpoint>();
  const triggers = new Map<string, RunningTrigger>();
  const bridges = new Map<string, RunningBridge>();
  const faults: { entry: string; finding: Finding }[] = [];
  for (const [key, one] of compiled) {
    if (one.endpoint !== undefined) endpoints.set(one.endpoint.entry.source, one.endpoint);
    if (one.trigger !== undefined) triggers.set(one.trigger.key, one.trigger);
    if (one.bridge !== undefined) bridges.set(one.bridge.key, one.bridge);
    for (const finding of one.findings) faults.push({ entry: key, finding });
  }
  const indexes = buildIndexes(triggers, before?.indexes);
  const callees = Map.groupBy(bridges.values(), calledAt);
  let bearers: BearerIndex<RunningEndpoint> | undefined;
  const runtime: BuiltRuntime = {
    revision: table.revision,
    endpoint: (source) => endpoints.get(source),
    bearerEndpoint(request) {
      const token = bearerToken(request);
      if (token === undefined) return undefined;
      bearers ??= buildBearerIndex(endpoints.values());
      return bearers.find(token);
    },
    trigger: (key) => triggers.get(key),
    routes: (entrance) => indexes.get(entrance)?.index ?? NO_ROUTES,
    streams: (entrance) => indexes.get(entrance)?.streams,
    readers: (entrance) => indexes.get(entrance)?.members ?? [],
    triggers,
    bridges,
    callees: (entrance) => callees.get(entrance) ?? [],
    faults,
    compiled,
    indexes,
  };
  return runtime;
}

function reuse(entry: Entry, before: Compiled | undefined): Compiled | undefined {
  if (before === undefined) return undefined;
  return before.entry === entry || JSON.stringify(before.entry) === JSON.stringify(entry)
    ? before
    : undefined;
}

function compile(entry: Entry, jwks: JwksSource | undefined): Compiled {
  if (entry.kind === 'WebhookSecret') return compileEndpoint(entry, jwks);
  if (entry.kind === 'EventTrigger') return compileTrigger(entry);
  return compileBridgeEntry(entry);
}

function compileEndpoint(entry: EndpointEntry, jwks: JwksSource | undefined): Compiled {
  const scheme = findScheme(entry.scheme, 'spec.scheme');
  const verifier = compileVerifier(entry, 'spec', jwks);
  const toEvent = compileEventMapping(entry);
  if (!(verifier.ok && toEvent.ok && scheme.ok)) {
    return { entry, findings: [verifier, toEvent].flatMap((result) => (result.ok ? [] : result.findings)) };
  }
  const rules = scheme.value.lenientEvents ? LENIENT : STRICT;
  const { rate } = entry.limits;
  const endpoint: RunningEndpoint = {
    entry,
    entrance: entryKey(entry),
    scheme: scheme.value,
    verifier: verifier.value,
    read: readerOf(toEvent.value, rules),
    rules,
    rate: rate && createTokenBucket(rate, 0),
  };
  return { entry, endpoint, findings: [] };
}

function readerOf(toEvent: ToEvent, rules: EventRules): ReadEvents {
  return (request, now, uniqueId) =>
    isBatch(request.headers) ? parseBatch(request.body, rules) : [toEvent(request, now, uniqueId)];
}

function compileTrigger(entry: TriggerEntry): Compiled {
  const matcher = compileMatcher(entry);
  if (!matcher.ok) return { entry, findings: matcher.findings };
  const trigger: RunningTrigger = {
    entry,
    key: `${entry.namespace}/${entry.name}`,
    entrance: entryKey(entry),
    matcher: new MatcherOnDemand(entry, matcher.value.anchors),
    shape: pinnedShape(entry.shape),
    stream: entry.stream && runningStream(entry.stream, entry.namespace),
  };
  return { entry, trigger, findings: [] };
}

function compileBridgeEntry(entry: BridgeEntry): Compiled {
  const compiled = compileBridge(entry);
  if (!compiled.ok) return { entry, findings: compiled.findings };
  const key = `${entry.namespace}/${entry.name}`;
  const bridge = { entry, key, entrance: entryKey(entry), ...compiled.value };
  const sink = sinkTrigger(entry);
  return { entry, bridge, findings: [], ...(sink === undefined ? {} : { trigger: sink }) };
}

/** The entrance at which a bridge's backend calls; none for a bridge that reads by itself. */
function calledAt({ entry }: RunningBridge): string | undefined {
  const { transport, webhookSecret } = entry.source;
  return transport === 'Webhook' ? `WebhookSecret/${entry.namespace}/${webhookSecret ?? ''}` : undefined;
}

/** A bridge's own sink is a trigger that takes all that the bridge reads. Its key has three parts, as no other's. */
function sinkTrigger({ sink, ...origin }: BridgeEntry): RunningTrigger | undefined {
  if (sink === undefined) return undefined;
  const { namespace, name, uid, generation, suspend } = origin;
  const { shape, destination, policy } = sink;
  const entry: TriggerEntry = {
    kind: 'EventTrigger',
    namespace,
    name,
    uid,
    generation,
    suspend,
    from: { webhookSecrets: [], eventBridges: [name] },
    filters: [],
    shape,
    destination,
    policy: laneOf(policy),
  };
  const key = entryKey(origin);
  return {
    entry,
    key,
    entrance: key,
    matcher: new MatcherOnDemand(entry, []),
    shape: pinnedShape(shape),
    stream: undefined,
  };
}

/**
 * Compiled once to see that it can be, and again when an event first comes near: what lies between is ten thousand
 * matchers' memory, most of which no event ever asks.
 */
class MatcherOnDemand implements AnchoredMatcher {
  readonly anchors: readonly Anchor[];
  readonly #entry: TriggerEntry;
  #compiled: AnchoredMatcher | undefined;

  constructor(entry: TriggerEntry, anchors: readonly Anchor[]) {
    this.#entry = entry;
    this.anchors = anchors;
  }

  get anchor(): Anchor | undefined {
    return this.#matcher().anchor;
  }

  matches(event: CloudEvent): boolean {
    return this.#matcher().matches(event);
  }

  explain(event: CloudEvent): readonly Clause[] {
    return this.#matcher().explain(event);
  }

  #matcher(): AnchoredMatcher {
    if (this.#compiled !== undefined) return this.#compiled;
    const result = compileMatcher(this.#entry);
    if (!result.ok) throw new Error(`${entryKey(this.#entry)} compiled before and does not now`);
    this.#compiled = result.value;
    return result.value;
  }
}

function buildIndexes(
  triggers: ReadonlyMap<string, RunningTrigger>,
  before: ReadonlyMap<string, Built> | undefined,
): ReadonlyMap<string, Built> {
  const members = new Map<string, { readers: RunningTrigger[]; jobs: RunningTrigger[] }>();
  const at = (entrance: string): { readers: RunningTrigger[]; jobs: RunningTrigger[] } => {
    const known = members.get(entrance) ?? { readers: [], jobs: [] };
    members.set(entrance, known);
    return known;
  };
  for (const trigger of triggers.values()) {
    for (const entrance of entrancesOf(trigger.entry)) at(entrance).readers.push(trigger);
    for (const entrance of trigger.stream?.bridges ?? []) at(entrance).jobs.push(trigger);
  }
  const indexes = new Map<string, Built>();
  for (const [entrance, { readers, jobs }] of members) {
    const old = before?.get(entrance);
    const same = old !== undefined && sameMembers(old.members, readers) && sameMembers(old.jobs, jobs);
    indexes.set(entrance, same ? old : built(entrance, readers, jobs, old));
  }
  return indexes;
}

/** An index with more changes in it than this is built anew. */
const MAX_PATCHED = 64;

function built(
  entrance: string,
  members: readonly RunningTrigger[],
  jobs: readonly RunningTrigger[],
  old: Built | undefined,
): Built {
  const senders = members.filter(({ stream }) => stream === undefined);
  return {
    members,
    jobs,
    streams: buildStreamRoutes(entrance, members, jobs),
    ...(patched(senders, old?.base) ?? builtAnew(senders)),
  };
}

function builtAnew(members: readonly RunningTrigger[]): Pick<Built, 'index' | 'base'> {
  const index = buildIndex(members);
  return { index, base: { members: new Set(members), index } };
}

/** The old index with what differs beside it; undefined where there is none, or much differs. */
function patched(
  members: readonly RunningTrigger[],
  base: Base | undefined,
): Pick<Built, 'index' | 'base'> | undefined {
  if (base === undefined) return undefined;
  const added = members.filter((trigger) => !base.members.has(trigger));
  const goneCount = base.members.size - (members.length - added.length);
  if (added.length + goneCount > MAX_PATCHED) return undefined;
  const gone = new Set(base.members);
  for (const trigger of members) gone.delete(trigger);
  return { index: patchIndex(base.index, gone, added), base };
}

/** Every entrance that a trigger reads from. */
export function entrancesOf(entry: TriggerEntry): readonly string[] {
  const { namespace, from } = entry;
  return [
    ...from.webhookSecrets.map((name) => `WebhookSecret/${namespace}/${name}`),
    ...from.eventBridges.map((name) => `EventBridge/${namespace}/${name}`),
    ...(from.cluster === undefined ? [] : [entryKey(entry)]),
  ];
}

function sameMembers(a: readonly RunningTrigger[], b: readonly RunningTrigger[]): boolean {
  return a.length === b.length && a.every((trigger, i) => trigger === b[i]);
}
