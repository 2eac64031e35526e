import type { Attempt } from '../journal/journal.ts';
import type { TracedAttempt, Tracing } from '../observe/tracing.ts';
import { createBatches, healthOfOne } from './batches.ts';
import type { HeldDelivery, Route } from './engine-contract.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { refuseLoop } from './loop-guard.ts';
import type { DeliveryObserver } from './observer.ts';
import type { Answer, Failure, OutboundClient, OutboundRequest, SetTimer } from './outbound.ts';
import { RenderError, type Rendered, type Renderer } from './renderer.ts';
import { createSigning } from './signing.ts';
import { TARGETS } from './targets.ts';
import {
  type DeathCause,
  isDown,
  type Standing,
  type Verdict,
  verdict,
  verdictOnFailure,
} from './verdict.ts';

/** What an attempt says of its target. */
export type Health = 'up' | 'down' | 'unknown';

/** What came of an attempt. */
export type Outcome =
  | { readonly state: 'delivered'; readonly attempt: Attempt; readonly answer?: Answer }
  | { readonly state: 'waiting'; readonly due: number; readonly attempt?: Attempt }
  | Dead;

/** An end without success. */
export interface Dead {
  readonly state: 'dead';
  readonly cause: DeathCause;
  readonly reason: string;
  readonly attempt?: Attempt;
  readonly answer?: Answer;
}

/** What attempts work with. */
export interface AttemptParts {
  readonly client: OutboundClient;
  readonly observer: DeliveryObserver;
  readonly now: () => number;
  readonly random: () => number;
  readonly setTimer: SetTimer;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** Makes attempts at deliveries and says what came of them. */
export interface Attempts {
  /** Renders and sends. Never throws; `ended` is called once, maybe before this returns. */
  run(
    delivery: HeldDelivery,
    route: Route,
    renderer: Renderer,
    ended: (outcome: Outcome, health: Health) => void,
  ): void;
  /** What becomes of a delivery that is not sent because its target is known to be down; undefined: it must be tried. */
  spare(delivery: HeldDelivery, route: Route): Outcome | undefined;
}

const SPARED: Failure = { code: 'NoAnswer', message: 'not tried: the target failed several times in a row' };

/** Makes Attempts. */
export function createAttempts({ client, observer, now, random, setTimer, tracing }: AttemptParts): Attempts {
  const signing = createSigning();
  const batches = createBatches({ client, signing, setTimer, now });

  function standing(delivery: HeldDelivery, answer: Answer | undefined): Standing {
    const { receivedAt, attempts } = delivery;
    return { receivedAt, attempts: attempts + 1, now: now(), retryAfter: answer?.headers['retry-after'] };
  }

  function judge(delivery: HeldDelivery, { destination, policy }: Route, at: number, came: Came): Outcome {
    const { answer, failure } = came;
    const ms = Math.max(0, now() - at);
    if (failure?.code === 'Closed') return { state: 'waiting', due: now() };
    const reading = answer === undefined ? undefined : TARGETS[destination.kind].read(answer);
    const attempt = { at, durationMs: ms, ...(answer === undefined ? {} : { status: answer.status }) };
    if (reading?.outcome === 'done') {
      observer.attempted(destination.kind, 'delivered', ms);
      const { result } = reading;
      const made = result === undefined ? attempt : { ...attempt, result };
      // Only a step of a value stream looks at what it was answered.
      return delivery.task === undefined || answer === undefined
        ? { state: 'delivered', attempt: made }
        : { state: 'delivered', attempt: made, answer };
    }
    const facts = standing(delivery, answer);
    const ruled =
      reading === undefined
        ? verdictOnFailure(failure ?? SPARED, facts, policy, random)
        : verdict(reading, facts, policy, random);
    observer.attempted(destination.kind, ruled.state === 'dead' ? 'dead' : 'retried', ms);
    return told(ruled, { ...attempt, error: ruled.error }, answer);
  }

  function render(
    { event, trigger, task, receivedAt }: HeldDelivery,
    { destination }: Route,
    renderer: Renderer,
  ): Ready {
    refuseLoop(event, destination);
    const key = idempotencyKey(trigger, event.source, event.id, task);
    return { rendered: renderer.render(event, { idempotencyKey: key, receivedAt }), key };
  }

  function requestOf(
    { rendered, key }: Ready,
    { destination, policy }: Route,
    at: number,
  ): OutboundRequest | Failure {
    const signed = signing.sign(destination, rendered, key, at);
    if ('code' in signed) return signed;
    const { path, body } = rendered;
    return { destination, path, body, timeoutMs: policy.timeoutMs, ...signed };
  }

  return {
    run(delivery, route, renderer, ended) {
      const at = now();
      const span = tracing?.attempt(traced(delivery, route));
      const { batch } = route.policy;
      let request: OutboundRequest | Failure;
      try {
        const ready = render(delivery, route, renderer);
        if (batch !== undefined) {
          const came = (answer: Answer | undefined, failure: Failure | undefined, first: boolean): void => {
            span?.ended({ status: answer?.status, error: errorOf(answer, failure) });
            const health = healthOfOne(healthOf(answer, failure), first);
            ended(judge(delivery, route, at, { answer, failure }), health);
          };
          batches.board({ delivery, route, batch, ...ready, ended: came });
          return;
        }
        request = requestOf(ready, route, at);
      } catch (error) {
        const reason = reasonOf(error);
        span?.ended({ error: reason });
        ended({ state: 'dead', cause: 'unrenderable', reason }, 'unknown');
        return;
      }
      if ('code' in request) {
        span?.ended({ error: request.message });
        ended(judge(delivery, route, at, { answer: undefined, failure: request }), 'unknown');
        return;
      }
      const sent =
        span === undefined ? request : { ...request, headers: { ...request.headers, ...span.headers } };
      client.post(sent, (answer, failure) => {
        span?.ended({ status: answer?.status, error: errorOf(answer, failure) });
        ended(judge(delivery, route, at, { answer, failure }), healthOf(answer, failure));
      });
    },
    spare(delivery, { policy }) {
      const ruled = verdictOnFailure(SPARED, standing(delivery, undefined), policy, random);
      if (ruled.state === 'dead') return undefined;
      return told(ruled, { at: now(), durationMs: 0, error: ruled.error }, undefined);
    },
  };
}

/** What is sent, before it is signed. */
interface Ready {
  readonly rendered: Rendered;
  readonly key: string;
}

interface Came {
  readonly answer: Answer | undefined;
  readonly failure: Failure | undefined;
}

function traced(
  { trigger, id, attempts, event, trace }: HeldDelivery,
  { destination }: Route,
): TracedAttempt {
  return { trigger, delivery: id, attempt: attempts + 1, event, url: destination.url, parent: trace };
}

function errorOf(answer: Answer | undefined, failure: Failure | undefined): string | undefined {
  if (answer === undefined) return failure?.message;
  return answer.status < 400 ? undefined : `answered ${answer.status}`;
}

function told(ruled: Verdict, attempt: Attempt, answer: Answer | undefined): Outcome {
  if (ruled.state === 'waiting') return { state: 'waiting', due: ruled.due, attempt };
  const { cause, reason } = ruled;
  return { state: 'dead', cause, reason, attempt, ...(answer === undefined ? {} : { answer }) };
}

function healthOf(answer: Answer | undefined, failure: Failure | undefined): Health {
  if (isDown(answer, failure)) return 'down';
  return answer === undefined ? 'unknown' : 'up';
}

function reasonOf(error: unknown): string {
  if (error instanceof RenderError) return `${error.field}: ${error.message}`;
  return `cannot be rendered: ${error instanceof Error ? error.message : String(error)}`;
}
