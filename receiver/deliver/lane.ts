import type { HeldDelivery } from './engine-contract.ts';
import { createFifo, type Fifo } from './fifo.ts';
import { createPace, type Pace } from './pace.ts';
import { createTokenBucket, type Rate, type TokenBucket } from './token-bucket.ts';

/**
 * One trigger's deliveries in memory. Concurrency and rate are a trigger's own settings, so that they are kept here;
 * what triggers with one destination share is kept with the destination (destinations.ts).
 */
export interface Lane {
  readonly trigger: string;
  /** The step of a value stream, each of which has a target of its own. */
  readonly step: string | undefined;
  readonly queue: Fifo<HeldDelivery>;
  readonly pace: Pace;
  /** Attempts under way. */
  inFlight: number;
  /** It is on a list already: of lanes that are ready, or that wait for a destination or a token. */
  listed: boolean;
  bucket: TokenBucket | undefined;
  /** It had enough when the journal was last read, which gave out nothing of it then. */
  leftOut: boolean;
}

/** Makes a lane without deliveries. */
export function createLane(trigger: string, step: string | undefined, now: number): Lane {
  return {
    trigger,
    step,
    queue: createFifo(),
    pace: createPace(now),
    inFlight: 0,
    listed: false,
    bucket: undefined,
    leftOut: false,
  };
}

/** Milliseconds until the lane's rate lets an attempt start; 0: it took a token, or there is no rate. */
export function takeToken(lane: Lane, rate: Rate | undefined, now: number): number {
  if (rate === undefined) {
    lane.bucket = undefined;
    return 0;
  }
  const known = lane.bucket?.rate;
  if (known === undefined || known.requests !== rate.requests || known.perMs !== rate.perMs) {
    lane.bucket = createTokenBucket(rate, now);
  }
  return lane.bucket?.take(now) ?? 0;
}

/** Whether nothing would be lost by forgetting the lane: no work, and no rate that it has used up. */
export function isAtRest(lane: Lane, now: number): boolean {
  return lane.queue.size === 0 && lane.inFlight === 0 && !lane.listed && (lane.bucket?.isFull(now) ?? true);
}
