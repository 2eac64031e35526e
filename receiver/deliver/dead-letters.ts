import { CloudEvent } from '../event/event.ts';
import type { Destination } from '../routing/table.ts';
import type { HeldDelivery } from './engine-contract.ts';
import { idempotencyKey } from './idempotency-key.ts';
import type { Answer, Failure, OutboundClient, SetTimer } from './outbound.ts';
import type { Rendered, Renderer } from './renderer.ts';
import { TARGETS } from './targets.ts';

/** Attempts at the dead letter sink, and the delay after the first that fails (doubled after each). */
const ATTEMPTS = 4;
const FIRST_DELAY_MS = 200;
/** Knative's bound on `knativeerrordata`, in characters of base64, and the bytes that fit. */
const DATA_BYTES = (1024 / 4) * 3;
/** Dead letters on their way at once; more would let a slow dead letter sink take the memory of every target. */
const MAX_UNDER_WAY = 256;

/** Why an event is a dead letter, as its extensions tell it. */
export interface Death {
  /** The destination that did not take it. */
  readonly destination: string;
  readonly reason: string;
  readonly answer: Answer | undefined;
}

/** What sending needs. */
export interface DeadLettersParts {
  readonly client: OutboundClient;
  /** Makes a request of the event as it is: binary mode. */
  readonly renderer: Renderer;
  readonly view: (event: CloudEvent) => unknown;
  readonly setTimer: SetTimer;
}

/** Where a dead letter goes. */
export interface DeadLetterRoute {
  readonly destination: Destination;
  readonly timeoutMs: number;
}

/** Sends dead letters to the sink that a trigger names. */
export interface DeadLetters {
  /** Sends one; `done` gets a note for the record where the sink did not take it. */
  send(
    delivery: HeldDelivery,
    death: Death,
    to: DeadLetterRoute,
    done: (note: string | undefined) => void,
  ): void;
}

/** Makes the sender. */
export function createDeadLetters({ client, renderer, view, setTimer }: DeadLettersParts): DeadLetters {
  let underWay = 0;

  function post(
    rendered: Rendered,
    to: DeadLetterRoute,
    attempt: number,
    done: (note: string | undefined) => void,
  ): void {
    client.post({ ...rendered, ...to }, (answer, failure) => {
      const reading = answer === undefined ? undefined : TARGETS.sink.read(answer);
      if (reading?.outcome === 'done') {
        done(undefined);
      } else if (attempt < ATTEMPTS && mayRetry(reading?.outcome, failure)) {
        setTimer(() => post(rendered, to, attempt + 1, done), FIRST_DELAY_MS * 2 ** (attempt - 1));
      } else {
        done(`the dead letter sink did not take it: ${reading?.error ?? failure?.message ?? 'no answer'}`);
      }
    });
  }

  return {
    send(delivery, death, to, done) {
      if (to.destination.unresolved !== undefined) {
        done(`the dead letter sink is not resolved: ${to.destination.unresolved}`);
        return;
      }
      if (underWay >= MAX_UNDER_WAY) {
        done('the dead letter sink was not asked: too many dead letters wait for their sinks');
        return;
      }
      let rendered: Rendered;
      try {
        rendered = render(delivery, death);
      } catch (error) {
        done(`the dead letter cannot be sent: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      underWay += 1;
      post(rendered, to, 1, (note) => {
        underWay -= 1;
        done(note);
      });
    },
  };

  function render({ event, trigger, receivedAt }: HeldDelivery, death: Death): Rendered {
    const letter = new CloudEvent(withErrors(event.attributes, death), event.body, view);
    return renderer.render(letter, {
      idempotencyKey: idempotencyKey(trigger, event.source, event.id, 'dead-letter'),
      receivedAt,
    });
  }
}

/** The event's attributes and Knative's extensions for dead letters; a code only where there was an answer. */
function withErrors(
  attributes: CloudEvent['attributes'],
  { destination, reason, answer }: Death,
): CloudEvent['attributes'] {
  const told = answer === undefined || answer.body.length === 0 ? Buffer.from(reason) : answer.body;
  return Object.assign(Object.create(null), attributes, {
    knativeerrordest: withoutSecrets(destination),
    ...(answer === undefined ? {} : { knativeerrorcode: String(answer.status) }),
    knativeerrordata: told.subarray(0, DATA_BYTES).toString('base64'),
  });
}

/** A URL's user part and query often carry credentials, and a dead letter goes to somebody else. */
function withoutSecrets(destination: string): string {
  const url = URL.parse(destination);
  return url === null ? '' : `${url.origin}${url.pathname}`;
}

function mayRetry(outcome: 'retry' | 'refused' | undefined, failure: Failure | undefined): boolean {
  return outcome === 'retry' || failure?.code === 'Timeout' || failure?.code === 'NoAnswer';
}
