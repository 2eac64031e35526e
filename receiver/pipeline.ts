import { randomUUID } from 'node:crypto';
import type { DeliveryEngine, HeldDelivery } from './deliver/engine-contract.ts';
import { RequestError } from './errors.ts';
import type { CloudEvent } from './event/event.ts';
import { parseCloudEvent } from './event/parse.ts';
import { STRICT } from './event/validate.ts';
import { dedupKey, fingerprint } from './journal/dedup-key.ts';
import type { Journal, JournalError, Unit, UnitOutcome } from './journal/journal.ts';
import type { Observer } from './observe/observer.ts';
import type { Renderers } from './routing/renderers.ts';
import type { RunningEndpoint, RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Dedup } from './routing/table.ts';
import type { KeyUse } from './verify/key-use.ts';
import type { SignedRequest, Verdict } from './verify/verifier.ts';

/** What an accepted event's sender is told. */
export interface Accepted {
  readonly source: string;
  readonly id: string;
  readonly duplicate: boolean;
  /** A repeat of the same id with other bytes. */
  readonly differs: boolean;
  /** `namespace/name` of each trigger that took it. */
  readonly triggers: readonly string[];
}

/**
 * Called once per request, with the refusal or with what was accepted; with a `reply` where the request was no event but a
 * provider's challenge, which wants that text back.
 */
export type Done = (error: RequestError | undefined, accepted: Accepted | undefined, reply?: string) => void;

/** What an event brings with it from its entrance. */
interface Arrival {
  readonly entrance: string;
  readonly dedup: Dedup;
  /** The name of the secret that verified it. */
  readonly key?: string;
  readonly runtime: Runtime;
  readonly triggers: readonly RunningTrigger[];
  readonly now: number;
}

/** What the pipeline works with. */
export interface PipelineParts {
  readonly journal: Journal;
  readonly engine: DeliveryEngine;
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

/** When an endpoint that cannot verify is to be tried again. */
const CANNOT_VERIFY_SECONDS = 10;

/** Makes the pipeline. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { journal, engine, observer, renderers } = parts;

  function ingest(endpoint: RunningEndpoint, request: SignedRequest, done: Done): void {
    const { entry, entrance } = endpoint;
    if (entry.cannotVerify !== undefined) {
      unverifiable(entrance, entry.cannotVerify, CANNOT_VERIFY_SECONDS, done);
      return;
    }
    const now = parts.now();
    const verdict = endpoint.verifier.verify(request, now);
    if (verdict instanceof Promise) {
      verdict
        .then((late) => judged(endpoint, request, late, now, done))
        // A fault of ours: its sender is to send it again.
        .catch((error: unknown) => unverifiable(entrance, String(error), CANNOT_VERIFY_SECONDS, done));
    } else {
      judged(endpoint, request, verdict, now, done);
    }
  }

  function judged(
    endpoint: RunningEndpoint,
    request: SignedRequest,
    verdict: Verdict,
    now: number,
    done: Done,
  ): void {
    const { entrance } = endpoint;
    if (verdict.ok) verified(endpoint, request, verdict.key, now, done);
    else if (verdict.retryAfter === undefined) unproven(entrance, verdict.cause, done);
    else unverifiable(entrance, verdict.cause, verdict.retryAfter, done);
  }

  function verified(
    endpoint: RunningEndpoint,
    request: SignedRequest,
    key: string,
    now: number,
    done: Done,
  ): void {
    const { entry, entrance } = endpoint;
    parts.keyUse.note(entrance, key, now);
    const reply = endpoint.scheme.challenge?.(request);
    if (reply !== undefined) {
      done(undefined, undefined, reply);
      return;
    }
    let event: CloudEvent;
    try {
      event = endpoint.toEvent(request, now, randomUUID);
    } catch (error) {
      refuse(entrance, error, done);
      return;
    }
    const runtime = parts.runtime();
    const triggers = runtime.routes(entrance).match(event);
    accept(event, { entrance, dedup: entry.dedup, key, runtime, triggers, now }, done);
  }

  function receive(trigger: RunningTrigger, request: SignedRequest, done: Done): void {
    const { entrance, entry, matcher } = trigger;
    const now = parts.now();
    let event: CloudEvent;
    try {
      event = parseCloudEvent(request.headers, request.body, STRICT);
    } catch (error) {
      refuse(entrance, error, done);
      return;
    }
    const dedup = entry.from.cluster?.dedup ?? { enabled: false, windowMs: 0 };
    const triggers = matcher.matches(event) ? [trigger] : [];
    accept(event, { entrance, dedup, runtime: parts.runtime(), triggers, now }, done);
  }

  function accept(event: CloudEvent, arrival: Arrival, done: Done): void {
    const bytes = event.body?.length ?? 0;
    const held = engine.room(arrival.triggers.length, bytes * arrival.triggers.length);
    for (const trigger of arrival.triggers) renderers.pin(trigger.shape);
    journal.commit([unitOf(event, arrival, held)], (error, outcomes) => {
      const outcome = outcomes[0];
      if (error !== undefined || outcome === undefined) {
        unwritten(arrival.entrance, error, done);
        return;
      }
      const accepted = told(event, arrival, outcome);
      observer.accepted(
        arrival.entrance,
        accepted.duplicate,
        accepted.triggers.length,
        parts.now() - arrival.now,
      );
      done(undefined, accepted);
      if (outcome.outcome === 'committed' && held && outcome.deliveries.length > 0) {
        engine.hand(heldDeliveries(event, arrival, outcome.deliveries));
      }
    });
  }

  function unverifiable(entrance: string, cause: string, retryAfter: number, done: Done): void {
    observer.rejected(entrance, 'cannot_verify', cause);
    const message = 'This endpoint cannot verify requests now; send it again later.';
    done(new RequestError(503, 'cannot_verify', message, { retryAfter }), undefined);
  }

  function unproven(entrance: string, cause: string, done: Done): void {
    observer.rejected(entrance, 'signature', cause);
    done(new RequestError(401, 'unauthorized', 'The request is not proved by a known key.'), undefined);
  }

  function refuse(entrance: string, error: unknown, done: Done): void {
    if (!(error instanceof RequestError)) throw error;
    observer.rejected(entrance, error.code, error.message);
    done(error, undefined);
  }

  function unwritten(entrance: string, error: JournalError | undefined, done: Done): void {
    observer.rejected(entrance, 'journal', error?.message ?? 'the journal gave no outcome');
    const full = error?.code === 'JournalFull';
    done(
      new RequestError(
        503,
        full ? 'journal_full' : 'journal_unavailable',
        full
          ? 'The journal is full, so nothing was accepted; send it again later.'
          : 'The journal cannot be written now, so nothing was accepted; send it again later.',
        { retryAfter: full ? 30 : 5, ...(error === undefined ? {} : { cause: error }) },
      ),
      undefined,
    );
  }

  return { ingest, receive };
}

/** The one unit of work that an event is: its dedup key, itself, its deliveries and the answer a repeat gets. */
function unitOf(event: CloudEvent, arrival: Arrival, held: boolean): Unit {
  const { entrance, now, dedup, triggers } = arrival;
  const names = triggers.map((trigger) => trigger.key);
  const unit = {
    event: {
      entrance,
      receivedAt: now,
      attributes: JSON.stringify(event.attributes),
      data: event.body,
      record: JSON.stringify({ key: arrival.key, revision: arrival.runtime.revision, triggers: names }),
    },
    deliveries: triggers.map(({ key, shape }) => ({ trigger: key, shape: shape.hash, due: now, held })),
    answer: JSON.stringify(names),
  };
  if (!dedup.enabled) return unit;
  const unseen = {
    key: dedupKey(entrance, event.source, event.id),
    fingerprint: fingerprint(event),
    expiresAt: now + dedup.windowMs,
    // An event that nobody wanted leaves its id free: sent again, it is matched anew.
    occupy: triggers.length > 0,
  };
  return { ...unit, unseen };
}

function told(event: CloudEvent, arrival: Arrival, outcome: UnitOutcome): Accepted {
  const { source, id } = event;
  if (outcome.outcome === 'seen') {
    return {
      source,
      id,
      duplicate: true,
      differs: outcome.differs,
      triggers: JSON.parse(outcome.answer) as string[],
    };
  }
  return {
    source,
    id,
    duplicate: false,
    differs: false,
    triggers: arrival.triggers.map((trigger) => trigger.key),
  };
}

function heldDeliveries(
  event: CloudEvent,
  arrival: Arrival,
  ids: readonly number[],
): readonly HeldDelivery[] {
  return arrival.triggers.map((trigger, i) => ({
    id: ids[i] ?? 0,
    trigger: trigger.key,
    shape: trigger.shape.hash,
    event,
    entrance: arrival.entrance,
    receivedAt: arrival.now,
    attempts: 0,
  }));
}
