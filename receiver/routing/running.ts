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
import type { Anchor, Clause, Matcher } from '../match/matcher.ts';
import { type RunningStream, runningStream } from '../streams/running-stream.ts';
import type { JwksSource } from '../verify/jwks-source.ts';
import { lastEnd } from '../verify/key.ts';
import type { Scheme } from '../verify/scheme.ts';
import { compileVerifier, findScheme } from '../verify/schemes.ts';
import type { SignedRequest, Verifier } from '../verify/verifier.ts';
import { type PinnedShape, pinnedShape } from './pinned-shape.ts';
import { type BridgeEntry, type EndpointEntry, type Entry, entryKey, type TriggerEntry } from './table.ts';

/** All events of a verified request, in their order. Throws RequestError where the request as a whole brings none. */
export type ReadEvents = (request: SignedRequest, now: number, uniqueId: () => string) => readonly Parsed[];

/** An endpoint in force. */
export interface RunningEndpoint {
  readonly entry: EndpointEntry;
  /** `WebhookSecret/ns/name`: what its events' dedup keys and records name. */
  readonly entrance: string;
  readonly scheme: Scheme;
  readonly verifier: Verifier;
  /** When the last of its keys ends: from then on it cannot verify. */
  readonly keysEnd: number;
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
/** What one entry of the table runs as; nothing but findings where it cannot. */
export interface Compiled {
  readonly entry: Entry;
  readonly endpoint?: RunningEndpoint;
  readonly trigger?: RunningTrigger;
  readonly bridge?: RunningBridge;
  readonly findings: readonly Finding[];
}
/** Compiles one entry. `jwks` is where issuers' keys come from. */
export function compileRunning(entry: Entry, jwks: JwksSource | undefined): Compiled {
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
    keysEnd: lastEnd(entry.keys),
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
