import { randomUUID } from 'node:crypto';
import type { DeliveryEngine, HeldDelivery } from './deliver/engine-contract.ts';
import { heldUp } from './deliver/held-up.ts';
import { RequestError } from './errors.ts';
import type { CloudEvent } from './event/event.ts';
import { parseCloudEvent } from './event/parse.ts';
import { STRICT } from './event/validate.ts';
import { dedupKey, fingerprint } from './journal/dedup-key.ts';
import type { Journal, JournalError, NewDelivery, Unit, UnitOutcome } from './journal/journal.ts';
import type { Observer } from './observe/observer.ts';
import type { Renderers } from './routing/renderers.ts';
import type { RunningEndpoint, RunningTrigger, Runtime } from './routing/runtime.ts';
import type { Dedup } from './routing/table.ts';
import type { SignedRequest } from './verify/verifier.ts';

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

/** Called once per request, with the refusal or with what was accepted. */
export type Done = (error: RequestError | undefined, accepted: Accepted | undefined) => void;

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

/** Makes the pipeline. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { journal, engine, observer, renderers } = parts;

  function ingest(endpoint: RunningEndpoint, request: SignedRequest, done: Done): void {
    const { entry, entrance } = endpoint;
    if (entry.cannotVerify !== undefined) {
      observer.rejected(entrance, 'cannot_verify', entry.cannotVerify);
      done(
        new RequestError(
          503,
          'cannot_verify',
          'This endpoint cannot verify requests now; send it again later.',
          { retryAfter: 10 },
        ),
        undefined,
      );
      return;
    }
    const now = parts.now();
    const verdict = endpoint.verifier.verify(request, now);
    if (verdict instanceof Promise) {
      verdict.then(
        (late) =>
          late.ok ? verified(endpoint, request, late.key, now, done) : unproven(entrance, late.cause, done),
        (error: unknown) => unproven(entrance, String(error), done),
      );
    } else if (verdict.ok) {
      verified(endpoint, request, verdict.key, now, done);
    } else {
      unproven(entrance, verdict.cause, done);
    }
  }

  function verified(
    endpoint: RunningEndpoint,
    request: SignedRequest,
    key: string,
    now: number,
    done: Done,
  ): void {
    const { entry, entrance } = endpoint;
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
    const deliveries = deliveriesOf(arrival, held);
    for (const trigger of arrival.triggers) renderers.pin(trigger.shape);
    journal.commit([unitOf(event, arrival, deliveries)], (error, outcomes) => {
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
      if (outcome.outcome === 'committed' && held)
        engine.hand(heldDeliveries(event, arrival, deliveries, outcome.deliveries));
    });
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

/** One for each trigger; parked where the table in force says that it may not deliver now. */
function deliveriesOf({ triggers, runtime, now }: Arrival, room: boolean): readonly NewDelivery[] {
  return triggers.map(({ key, shape }) => {
    const entry = runtime.trigger(key)?.entry;
    const parked = entry === undefined ? undefined : heldUp(entry);
    return { trigger: key, shape: shape.hash, due: now, held: room && parked === undefined, parked };
  });
}

/** The one unit of work that an event is: its dedup key, itself, its deliveries and the answer a repeat gets. */
function unitOf(event: CloudEvent, arrival: Arrival, deliveries: readonly NewDelivery[]): Unit {
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
    deliveries,
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
  deliveries: readonly NewDelivery[],
  ids: readonly number[],
): readonly HeldDelivery[] {
  const { entrance, now: receivedAt } = arrival;
  return deliveries.flatMap(({ trigger, shape, held }, i) =>
    held ? [{ id: ids[i] ?? 0, trigger, shape, event, entrance, receivedAt, attempts: 0 }] : [],
  );
}
