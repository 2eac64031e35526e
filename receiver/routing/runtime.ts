import { hash } from 'node:crypto';
import type { Renderer } from '../deliver/renderer.ts';
import { compileShape } from '../deliver/shape/compile-shape.ts';
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
import { bearerToken } from '../verify/bearer.ts';
import type { JwksSource } from '../verify/jwks-source.ts';
import type { Scheme } from '../verify/scheme.ts';
import { compileVerifier, findScheme } from '../verify/schemes.ts';
import type { SignedRequest, Verifier } from '../verify/verifier.ts';
import { type BearerIndex, buildBearerIndex } from './bearer-index.ts';
import {
  type EndpointEntry,
  type Entry,
  entryKey,
  type RoutingTable,
  type Shape,
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
}

/** A Shape by content: what a delivery pins. */
export interface PinnedShape {
  readonly hash: string;
  readonly text: string;
  readonly renderer: Renderer;
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
  /** The triggers that read from an entrance, indexed. */
  routes(entrance: string): Index<RunningTrigger>;
  /** The same triggers one by one, for who asks each of them. */
  readers(entrance: string): readonly RunningTrigger[];
  readonly triggers: ReadonlyMap<string, RunningTrigger>;
  /** Entries that this receiver cannot run although the operator published them (a newer operator): left out, told. */
  readonly faults: readonly { readonly entry: string; readonly finding: Finding }[];
}

interface Compiled {
  readonly entry: Entry;
  readonly endpoint?: RunningEndpoint;
  readonly trigger?: RunningTrigger;
  readonly findings: readonly Finding[];
}

interface BuiltRuntime extends Runtime {
  readonly compiled: ReadonlyMap<string, Compiled>;
  readonly indexes: ReadonlyMap<string, Built>;
}

interface Built {
  readonly members: readonly RunningTrigger[];
  readonly index: Index<RunningTrigger>;
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
  const faults: { entry: string; finding: Finding }[] = [];
  for (const [key, one] of compiled) {
    if (one.endpoint !== undefined) endpoints.set(one.endpoint.entry.source, one.endpoint);
    if (one.trigger !== undefined) triggers.set(one.trigger.key, one.trigger);
    for (const finding of one.findings) faults.push({ entry: key, finding });
  }
  const indexes = buildIndexes(triggers, before?.indexes);
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
    readers: (entrance) => indexes.get(entrance)?.members ?? [],
    triggers,
    faults,
    compiled,
    indexes,
  };
  return runtime;
}

/** The Renderer of a Shape read back from the journal; throws where this version cannot compile it. */
export function compilePinned(text: string): Renderer {
  const result = compileShape(JSON.parse(text) as Shape);
  if (!result.ok) {
    throw new Error(result.findings.map((finding) => `${finding.field}: ${finding.message}`).join('; '));
  }
  return result.value;
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
  return { entry, findings: [] };
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
    shape: new LazyShape(entry.shape),
  };
  return { entry, trigger, findings: [] };
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

/** Its parts are made when they are first asked for. */
class LazyShape implements PinnedShape {
  readonly #shape: Shape;
  #text: string | undefined;
  #hash: string | undefined;
  #renderer: Renderer | undefined;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#shape);
    return this.#text;
  }

  get hash(): string {
    this.#hash ??= hash('sha256', this.text, 'base64url').slice(0, 22);
    return this.#hash;
  }

  get renderer(): Renderer {
    this.#renderer ??= compilePinned(this.text);
    return this.#renderer;
  }
}

function buildIndexes(
  triggers: ReadonlyMap<string, RunningTrigger>,
  before: ReadonlyMap<string, Built> | undefined,
): ReadonlyMap<string, Built> {
  const members = new Map<string, RunningTrigger[]>();
  for (const trigger of triggers.values()) {
    for (const entrance of entrancesOf(trigger.entry)) {
      const list = members.get(entrance);
      if (list === undefined) members.set(entrance, [trigger]);
      else list.push(trigger);
    }
  }
  const indexes = new Map<string, Built>();
  for (const [entrance, list] of members) {
    const old = before?.get(entrance);
    indexes.set(
      entrance,
      old !== undefined && sameMembers(old.members, list) ? old : { members: list, index: buildIndex(list) },
    );
  }
  return indexes;
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
