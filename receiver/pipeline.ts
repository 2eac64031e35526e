import { randomUUID } from 'node:crypto';
import {
  type Accepted,
  type Arrival,
  acceptedOf,
  deliveriesOf,
  heldDeliveries,
  type Matched,
  senders,
  unitOf,
} from './acceptance.ts';
import { readCalls } from './bridge/calls.ts';
import type { WriteEvents } from './bridge/entrance.ts';
import type { Backlog } from './deliver/backlog.ts';
import type { DeliveryEngine } from './deliver/engine-contract.ts';
import { type MadeParts, tellMade } from './deliver/made.ts';
import { RequestError } from './errors.ts';
import { claimedId } from './event/binary.ts';
import type { CloudEvent } from './event/event.ts';
import { type Parsed, parseCloudEvents } from './event/parse.ts';
import { STRICT } from './event/validate.ts';
import { type Journal, JournalError, type Unit, type UnitOutcome } from './journal/journal.ts';
import type { Observer } from './observe/observer.ts';
import type { Refusal } from './observe/refusal.ts';
import { commitTimed } from './observe/timed-commit.ts';
import type { ReceivedTrace, Tracing } from './observe/tracing.ts';
import {
  asRequestError,
  backlogged,
  cannotVerify,
  forbidden,
  rateExceeded,
  unauthorized,
  unwritten,
} from './refusals.ts';
import type { Renderers } from './routing/renderers.ts';
import type { RunningBridge, RunningEndpoint, RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Streams } from './streams/streams.ts';
import type { ClusterTokens, TokenVerdict } from './verify/cluster-tokens.ts';
import { provedBy } from './verify/family.ts';
import type { KeyUse } from './verify/key-use.ts';
import type { SignedRequest, Verdict } from './verify/verifier.ts';

/** What one event of a request came to; one of a batch that is refused for good leaves the others alone. */
export type Outcome = Accepted | RequestError;

/**
 * Called once per request: with the refusal of the whole, of which nothing was taken, or with one outcome per event; with
 * a `reply` where the request was no event but a provider's challenge, which wants that text back.
 */
export type Done = (error: RequestError | undefined, outcomes: readonly Outcome[], reply?: string) => void;

/** What the pipeline works with. */
export interface PipelineParts {
  readonly journal: Journal;
  readonly engine: DeliveryEngine;
  readonly backlog: Pick<Backlog, 'full' | 'added'>;
  readonly observer: Observer;
  readonly renderers: Renderers;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly streams: Pick<Streams, 'asked' | 'write'>;
  /** Where the events of a job backend come in that calls. */
  readonly bridge: WriteEvents;
  readonly keyUse: Pick<KeyUse, 'note'>;
  /** Judges who sends to cluster addresses that ask for a token. */
  readonly tokens: ClusterTokens;
  readonly now: () => number;
  /** The table in force. */
  readonly runtime: () => Runtime;
}

/** The straight line that an event walks through the receiver: verify → parse → match → journal → answer → deliver. */
export interface Pipeline {
  /** A request to a WebhookSecret's endpoint, body read. */
  ingest(endpoint: RunningEndpoint, request: SignedRequest, done: Done): void;
  /** A request to an EventTrigger's cluster address, body read. */
  receive(trigger: RunningTrigger, request: SignedRequest, done: Done): void;
}

/** A request on its way through: what came, what is known of it, and who waits for the answer. */
interface Passage extends Arrival {
  /** Known once it is proved. */
  key: string | undefined;
  readonly bytes: number;
  /** Whether its sender is told what is wrong with the instance that an event names. */
  readonly refuses: boolean;
  readonly done: Done;
}

type Match = (event: CloudEvent) => readonly RunningTrigger[];

const NONE: readonly Outcome[] = [];

/** Makes the pipeline. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { engine, backlog, observer, renderers, streams } = parts;
  const made: MadeParts = { backlog, observer, engine: () => engine, now: parts.now };

  function begin(
    { headers, body }: SignedRequest,
    { entrance, dedup, refuses }: Pick<Passage, 'entrance' | 'dedup' | 'refuses'>,
    done: Done,
  ): Passage {
    const { revision } = parts.runtime();
    const now = parts.now();
    const bytes = body.length;
    const passage = { entrance, dedup, key: undefined, revision, now, bytes, refuses, done };
    const span = parts.tracing?.received({ headers, entrance, at: now });
    return span === undefined ? passage : { ...passage, trace: span.context, done: traced(span, done) };
  }

  function ingest(endpoint: RunningEndpoint, request: SignedRequest, done: Done): void {
    const { entry, entrance } = endpoint;
    const passage = begin(request, { entrance, dedup: entry.dedup, refuses: true }, done);
    const full = backlog.full();
    if (full !== undefined) {
      refuse(passage, backlogged(full));
      return;
    }
    if (entry.cannotVerify !== undefined || passage.now >= endpoint.keysEnd) {
      refuse(passage, cannotVerify(), entry.cannotVerify ?? 'every key is past its notAfter');
      return;
    }
    const verdict = endpoint.verifier.verify(request, passage.now);
    if (verdict instanceof Promise) {
      verdict
        .then((late) => judged(endpoint, request, late, passage))
        .catch((fault: unknown) => refuse(passage, asRequestError(fault), String(fault)));
    } else judged(endpoint, request, verdict, passage);
  }

  function judged(
    endpoint: RunningEndpoint,
    request: SignedRequest,
    verdict: Verdict,
    passage: Passage,
  ): void {
    if (!verdict.ok) {
      const { cause, retryAfter } = verdict;
      const refusal = retryAfter === undefined ? unauthorized() : cannotVerify(retryAfter);
      refuse(passage, refusal, cause, claimedId(request.headers));
      return;
    }
    passage.key = verdict.key;
    parts.keyUse.note(passage.entrance, verdict.key, passage.now);
    observer.proved(verdict.key === endpoint.entry.keys[0]?.name ? 'first' : 'later');
    // Only who is proved counts: nobody else can use up an endpoint's rate.
    const waitMs = endpoint.rate?.take(passage.now) ?? 0;
    if (waitMs > 0) {
      refuse(passage, rateExceeded(waitMs));
      return;
    }
    const proved = verdict.family === undefined ? request : provedBy(verdict.family, request);
    const reply = endpoint.scheme.challenge?.(proved);
    if (reply !== undefined) {
      passage.done(undefined, NONE, reply);
      return;
    }
    const bridges = parts.runtime().callees(endpoint.entrance);
    if (bridges.length > 0) {
      called(bridges, proved, passage);
      return;
    }
    const routes = parts.runtime().routes(endpoint.entrance);
    parse(
      passage,
      () => endpoint.read(proved, passage.now, randomUUID),
      (event) => routes.match(event),
    );
  }

  /** A job backend calls: its events go by way of the bridges that name this endpoint. */
  function called(bridges: readonly RunningBridge[], request: SignedRequest, passage: Passage): void {
    let left = bridges.length;
    let cause: string | undefined;
    try {
      for (const one of bridges) {
        parts.bridge(one, readCalls(one, request.body), undefined, (written) => {
          if ('cause' in written) cause = written.cause;
          left -= 1;
          if (left > 0) return;
          if (cause === undefined) passage.done(undefined, NONE);
          else refuse(passage, unwritten(undefined), cause);
        });
      }
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      refuse(passage, error);
    }
  }

  function receive(trigger: RunningTrigger, request: SignedRequest, done: Done): void {
    const { entrance, entry } = trigger;
    const { audience, subjects, dedup = { enabled: false, windowMs: 0 } } = entry.from.cluster ?? {};
    const passage = begin(request, { entrance, dedup, refuses: false }, done);
    const full = backlog.full();
    if (full !== undefined) {
      refuse(passage, backlogged(full));
      return;
    }
    if (audience === undefined) {
      take(trigger, request, passage);
      return;
    }
    parts.tokens
      .judge(request, { audience, ...(subjects === undefined ? {} : { subjects }) }, passage.now)
      .then((verdict) => admit(trigger, request, verdict, passage))
      .catch((fault: unknown) => refuse(passage, asRequestError(fault), String(fault)));
  }

  function admit(
    trigger: RunningTrigger,
    request: SignedRequest,
    verdict: TokenVerdict,
    passage: Passage,
  ): void {
    if (verdict.ok) {
      passage.key = verdict.subject;
      take(trigger, request, passage);
      return;
    }
    const { cause, retryAfter, forbidden: known } = verdict;
    const unproved = known === true ? forbidden() : unauthorized();
    refuse(
      passage,
      retryAfter === undefined ? unproved : cannotVerify(retryAfter),
      cause,
      claimedId(request.headers),
    );
  }

  function take(trigger: RunningTrigger, request: SignedRequest, passage: Passage): void {
    parse(
      passage,
      () => parseCloudEvents(request.headers, request.body, STRICT),
      (event) => (trigger.stream === undefined && trigger.matcher.matches(event) ? [trigger] : []),
    );
  }

  function parse(passage: Passage, read: () => readonly Parsed[], match: Match): void {
    let parsed: readonly Parsed[];
    try {
      parsed = read();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      refuse(passage, error);
      return;
    }
    const matched: Matched[] = [];
    for (const event of parsed) {
      if (event instanceof RequestError) tell(passage, event);
      else matched.push({ event, triggers: match(event), asked: streams.asked(event, passage.entrance) });
    }
    if (matched.length === 0) passage.done(undefined, parsed as readonly RequestError[]);
    else if (matched.some(({ asked }) => asked !== undefined)) writeWithStreams(passage, parsed, matched);
    else write(passage, parsed, matched);
  }

  /** All events of a request in one transaction. */
  function write(passage: Passage, parsed: readonly Parsed[], matched: readonly Matched[]): void {
    const held = hasRoom(matched);
    for (const { triggers } of matched) for (const trigger of triggers) renderers.pin(trigger.shape);
    const runtime = parts.runtime();
    const units = matched.map((each) =>
      unitOf(each.event, senders(each), passage, deliveriesOf(each, passage, runtime, held)),
    );
    commitTimed(parts, units, (error, outcomes) => {
      if (error !== undefined || outcomes.length !== matched.length) {
        refuse(passage, unwritten(error), error?.message, matched[0]?.event.id);
        return;
      }
      passage.done(undefined, inOrder(parsed, accepted(passage, matched, outcomes)));
      tellMade(units, outcomes, made);
      if (held) hand(passage, matched, units, outcomes);
    });
  }

  /** What was committed goes to the delivery engine's memory. A counted loop: each event comes by. */
  function hand(
    passage: Passage,
    matched: readonly Matched[],
    units: readonly Unit[],
    outcomes: readonly UnitOutcome[],
  ): void {
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i] as UnitOutcome;
      if (outcome.outcome !== 'committed') continue;
      const { event } = matched[i] as Matched;
      engine.hand(heldDeliveries(event, passage, units[i] as Unit, outcome.deliveries));
    }
  }

  /** The same with instances that start or wake: rows are read, decided by and written in the events' transaction. */
  function writeWithStreams(passage: Passage, parsed: readonly Parsed[], matched: readonly Matched[]): void {
    streams
      .write(matched, passage, passage.refuses)
      .then((outcomes) => {
        for (const [i, outcome] of outcomes.entries()) {
          if (outcome instanceof RequestError) tell(passage, outcome, outcome.message, matched[i]?.event.id);
          else observe(passage, outcome);
        }
        return passage.done(undefined, inOrder(parsed, outcomes));
      })
      .catch((fault: unknown) => {
        const refusal = fault instanceof JournalError ? unwritten(fault) : asRequestError(fault);
        refuse(passage, refusal, String(fault), matched[0]?.event.id);
      });
  }

  function hasRoom(matched: readonly Matched[]): boolean {
    let deliveries = 0;
    let bytes = 0;
    for (const { event, triggers } of matched) {
      deliveries += triggers.length;
      bytes += triggers.length * (event.body?.length ?? 0);
    }
    return engine.room(deliveries, bytes);
  }

  function accepted(
    passage: Passage,
    matched: readonly Matched[],
    outcomes: readonly UnitOutcome[],
  ): readonly Accepted[] {
    return outcomes.map((outcome, i) => {
      const one = matched[i] as Matched;
      const told = acceptedOf(one.event, senders(one), outcome);
      observe(passage, told);
      return told;
    });
  }

  function observe({ entrance, now }: Passage, accepted: Accepted): void {
    const { source, id, duplicate, differs, triggers } = accepted;
    observer.accepted(entrance, duplicate, triggers, parts.now() - now);
    if (duplicate) observer.repeated({ at: now, entrance, source, id, differs });
  }

  function refuse(passage: Passage, error: RequestError, cause?: string, event?: string): void {
    tell(passage, error, cause, event);
    passage.done(error, NONE);
  }

  function tell(passage: Passage, error: RequestError, cause = error.message, event?: string): void {
    const { now, entrance, key, bytes } = passage;
    const { status, code } = error;
    const refusal: Refusal = {
      at: now,
      entrance,
      status,
      code,
      cause,
      bytes,
      ...(key === undefined ? {} : { key }),
      ...(event === undefined ? {} : { event }),
    };
    observer.rejected(refusal);
  }

  return { ingest, receive };
}

/** Ends the span with the answer. */
function traced(span: ReceivedTrace, done: Done): Done {
  return (error, outcomes, reply) => {
    span.ended({ events: outcomes.length, ...(error === undefined ? {} : { refused: error.code }) });
    done(error, outcomes, reply);
  };
}

/** Puts what was accepted between what was refused, as the events came. */
function inOrder(parsed: readonly Parsed[], accepted: readonly Outcome[]): readonly Outcome[] {
  if (parsed.length === accepted.length) return accepted;
  let next = 0;
  return parsed.map((event) => (event instanceof RequestError ? event : (accepted[next++] as Outcome)));
}
