import { hash } from 'node:crypto';
import type { BatchPolicy } from '../routing/table.ts';
import type { Health } from './attempt.ts';
import type { HeldDelivery, Route } from './engine-contract.ts';
import type { Answer, Failure, OutboundClient, OutboundRequest, SetTimer } from './outbound.ts';
import type { Rendered } from './renderer.ts';
import type { Signing } from './signing.ts';
import { TARGETS } from './targets.ts';

/** A delivery that waits to travel with others: rendered, and not signed yet. */
export interface Passenger {
  readonly delivery: HeldDelivery;
  readonly route: Route;
  readonly batch: BatchPolicy;
  readonly rendered: Rendered;
  readonly key: string;
  /** What became of the request that it was part of; `first` is one of all that were. */
  readonly ended: (answer: Answer | undefined, failure: Failure | undefined, first: boolean) => void;
}

/** What batches are sent with. */
export interface BatchesParts {
  readonly client: Pick<OutboundClient, 'post'>;
  readonly signing: Signing;
  readonly setTimer: SetTimer;
  readonly now: () => number;
}

/** Puts deliveries of one trigger into one request (CloudEvents JSON batch format). */
export interface Batches {
  board(passenger: Passenger): void;
}

/** One trigger's: the batch that fills, those that are full, and how many are on their way. */
interface Coach {
  waiting: Passenger[];
  bytes: number;
  cancel: (() => void) | undefined;
  full: Passenger[][];
  underWay: number;
}

const CONTENT_TYPE = 'application/cloudevents-batch+json';
const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
const BRACKETS = 2;

/** Makes Batches. */
export function createBatches({ client, signing, setTimer, now }: BatchesParts): Batches {
  const coaches = new Map<string, Coach>();

  function coachOf(trigger: string): Coach {
    const known = coaches.get(trigger);
    if (known !== undefined) return known;
    const made: Coach = { waiting: [], bytes: 0, cancel: undefined, full: [], underWay: 0 };
    coaches.set(trigger, made);
    return made;
  }

  function close(trigger: string, coach: Coach): void {
    coach.cancel?.();
    coach.cancel = undefined;
    if (coach.waiting.length > 0) coach.full.push(coach.waiting);
    coach.waiting = [];
    coach.bytes = 0;
    depart(trigger, coach);
  }

  function depart(trigger: string, coach: Coach): void {
    while (coach.full.length > 0) {
      const most = coach.full[0]?.[0]?.batch.requests ?? 1;
      if (coach.underWay >= most) return;
      const passengers = coach.full.shift() ?? [];
      coach.underWay += 1;
      send(passengers, () => {
        coach.underWay -= 1;
        depart(trigger, coach);
        const empty = coach.underWay === 0 && coach.full.length === 0 && coach.waiting.length === 0;
        if (empty) coaches.delete(trigger);
      });
    }
  }

  /** A request that is refused for good is sent in halves, until it is known which event is at fault. */
  function send(passengers: readonly Passenger[], done: () => void): void {
    post(passengers, (answer, failure) => {
      if (passengers.length > 1 && isRefused(passengers, answer)) {
        const half = passengers.length >> 1;
        send(passengers.slice(0, half), () => send(passengers.slice(half), done));
        return;
      }
      for (const [i, { ended }] of passengers.entries()) ended(answer, failure, i === 0);
      done();
    });
  }

  function post(
    passengers: readonly Passenger[],
    done: (answer: Answer | undefined, failure: Failure | undefined) => void,
  ): void {
    // The newest route counts: credentials and address are read at each attempt.
    const route = passengers.at(-1)?.route;
    if (route === undefined) return;
    const request = requestOf(passengers, route);
    if ('code' in request) done(undefined, request);
    else client.post(request, done);
  }

  function requestOf(
    passengers: readonly Passenger[],
    { destination, policy }: Route,
  ): OutboundRequest | Failure {
    const body = joined(passengers);
    const rendered = { path: '', headers: { 'content-type': CONTENT_TYPE }, body };
    const id = hash('sha256', passengers.map(({ key }) => key).join(), 'hex').slice(0, 32);
    try {
      const signed = signing.sign(destination, rendered, id, now());
      if ('code' in signed) return signed;
      return { destination, path: '', body, timeoutMs: policy.timeoutMs, ...signed };
    } catch (error) {
      return { code: 'Unsendable', message: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    board(passenger) {
      const { trigger } = passenger.delivery;
      const { batch, rendered } = passenger;
      const coach = coachOf(trigger);
      const size = rendered.body.length + 1;
      if (coach.waiting.length > 0 && BRACKETS + coach.bytes + size > batch.bytes) close(trigger, coach);
      coach.waiting.push(passenger);
      coach.bytes += size;
      if (coach.waiting.length >= batch.events || BRACKETS + coach.bytes >= batch.bytes)
        close(trigger, coach);
      else coach.cancel ??= setTimer(() => close(trigger, coach), batch.waitMs);
    },
  };
}

function joined(passengers: readonly Passenger[]): Buffer {
  const parts: Buffer[] = [];
  for (const { rendered } of passengers) parts.push(parts.length === 0 ? OPEN : COMMA, rendered.body);
  return Buffer.concat([...parts, CLOSE]);
}

function isRefused([first]: readonly Passenger[], answer: Answer | undefined): boolean {
  if (answer === undefined || first === undefined) return false;
  return TARGETS[first.route.destination.kind].read(answer).outcome === 'refused';
}

/** What a batch says of its target, told once and not once per event. */
export function healthOfOne(health: Health, first: boolean): Health {
  return first || health !== 'down' ? health : 'unknown';
}
