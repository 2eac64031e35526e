import { randomUUID } from 'node:crypto';
import {
  type Accepted,
  type Arrival,
  acceptedOf,
  deliveriesOf,
  heldDeliveries,
  type Matched,
  unitOf,
} from './acceptance.ts';
import type { Backlog } from './deliver/backlog.ts';
import type { DeliveryEngine } from './deliver/engine-contract.ts';
import { RequestError } from './errors.ts';
import { claimedId } from './event/binary.ts';
import type { CloudEvent } from './event/event.ts';
import { type Parsed, parseCloudEvents } from './event/parse.ts';
import { STRICT } from './event/validate.ts';
import type { Journal, Unit, UnitOutcome } from './journal/journal.ts';
import type { Observer } from './observe/observer.ts';
import type { Refusal } from './observe/refusal.ts';
import {
  asRequestError,
  backlogged,
  cannotVerify,
  rateExceeded,
  unauthorized,
  unwritten,
} from './refusals.ts';
import type { Renderers } from './routing/renderers.ts';
import type { RunningEndpoint, RunningTrigger, Runtime } from './routing/runtime.ts';
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
  readonly keyUse: Pick<KeyUse, 'note'>;
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
  readonly done: Done;
}

type Match = (event: CloudEvent) => readonly RunningTrigger[];

const NONE: readonly Outcome[] = [];

/** Makes the pipeline. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { journal, engine, backlog, observer, renderers } = parts;

  function ingest(endpoint: RunningEndpoint, request: SignedRequest, done: Done): void {
    const { entry, entrance } = endpoint;
    const { revision } = parts.runtime();
    const now = parts.now();
    const bytes = request.body.length;
    const passage: Passage = { entrance, dedup: entry.dedup, key: undefined, revision, now, bytes, done };
    const full = backlog.full();
    if (full !== undefined) {
      refuse(passage, backlogged(full));
      return;
    }
    if (entry.cannotVerify !== undefined) {
      refuse(passage, cannotVerify(), entry.cannotVerify);
      return;
    }
    const verdict = endpoint.verifier.verify(request, now);
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
    // Only who is proved counts: nobody else can use up an endpoint's rate.
    const waitMs = endpoint.rate?.take(passage.now) ?? 0;
    if (waitMs > 0) {
      refuse(passage, rateExceeded(waitMs));
      return;
    }
    const reply = endpoint.scheme.challenge?.(request);
    if (reply !== undefined) {
      passage.done(undefined, NONE, reply);
      return;
    }
    const routes = parts.runtime().routes(endpoint.entrance);
    parse(
      passage,
      () => endpoint.read(request, passage.now, randomUUID),
      (event) => routes.match(event),
    );
  }

  function receive(trigger: RunningTrigger, request: SignedRequest, done: Done): void {
    const { entrance, entry, matcher } = trigger;
    const { revision } = parts.runtime();
    const dedup = entry.from.cluster?.dedup ?? { enabled: false, windowMs: 0 };
    const bytes = request.body.length;
    const passage = { entrance, dedup, key: undefined, revision, now: parts.now(), bytes, done };
    const full = backlog.full();
    if (full !== undefined) {
      refuse(passage, backlogged(full));
      return;
    }
    parse(
      passage,
      () => parseCloudEvents(request.headers, request.body, STRICT),
      (event) => (matcher.matches(event) ? [trigger] : []),
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
      else matched.push({ event, triggers: match(event) });
    }
    if (matched.length === 0) passage.done(undefined, parsed as readonly RequestError[]);
    else write(passage, parsed, matched);
  }

  /** All events of a request in one transaction. */
  function write(passage: Passage, parsed: readonly Parsed[], matched: readonly Matched[]): void {
    const held = hasRoom(matched);
    for (const { triggers } of matched) for (const trigger of triggers) renderers.pin(trigger.shape);
    const runtime = parts.runtime();
    const units = matched.map((each) => unitOf(each, passage, deliveriesOf(each, passage, runtime, held)));
    journal.commit(units, (error, outcomes) => {
      if (error !== undefined || outcomes.length !== matched.length) {
        refuse(passage, unwritten(error), error?.message, matched[0]?.event.id);
        return;
      }
      passage.done(undefined, inOrder(parsed, accepted(passage, matched, outcomes)));
      count(units, outcomes);
      if (!held) return;
      for (const [i, outcome] of outcomes.entries()) {
        const [one, unit] = [matched[i], units[i]];
        if (one !== undefined && unit !== undefined && outcome.outcome === 'committed')
          engine.hand(heldDeliveries(one.event, passage, unit, outcome.deliveries));
      }
    });
  }

  function count(units: readonly Unit[], outcomes: readonly UnitOutcome[]): void {
    let deliveries = 0;
    let due = 0;
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.outcome !== 'committed') continue;
      for (const { parked } of units[i]?.deliveries ?? []) {
        deliveries += 1;
        if (parked === undefined) due += 1;
      }
    }
    backlog.added(deliveries, due);
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
    { entrance, now }: Passage,
    matched: readonly Matched[],
    outcomes: readonly UnitOutcome[],
  ): readonly Accepted[] {
    const ms = parts.now() - now;
    return outcomes.map((outcome, i) => {
      const told = acceptedOf(matched[i] as Matched, outcome);
      observer.accepted(entrance, told.duplicate, told.triggers.length, ms);
      if (told.duplicate) {
        const { source, id, differs } = told;
        observer.repeated({ at: now, entrance, source, id, differs });
      }
      return told;
    });
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

/** Puts what was accepted between what was refused, as the events came. */
function inOrder(parsed: readonly Parsed[], accepted: readonly Accepted[]): readonly Outcome[] {
  if (parsed.length === accepted.length) return accepted;
  let next = 0;
  return parsed.map((event) => (event instanceof RequestError ? event : (accepted[next++] as Accepted)));
}
