import type { Log } from '../observe/log.ts';
import type { Health } from './attempt.ts';
import { createDestinations, type DestinationState } from './destinations.ts';
import type { HeldDelivery, Route, Routes } from './engine-contract.ts';
import { createFifo } from './fifo.ts';
import { heldUp } from './held-up.ts';
import { createLane, isAtRest, type Lane, takeToken } from './lane.ts';
import type { SetTimer } from './outbound.ts';
import { LEAST_ALLOWANCE } from './pace.ts';
import { stepTask } from './task.ts';

/** An attempt that may start now. */
export interface Start {
  readonly delivery: HeldDelivery;
  readonly route: Route;
  /** To be called once, when it is over. */
  readonly ended: (health: Health) => void;
}

/** What the scheduler works with. */
export interface SchedulerParts {
  readonly routes: Routes;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly log: Log;
  readonly maxInFlight: number;
  /** How many deliveries memory holds, of all lanes together. */
  readonly maxHeld: number;
  readonly start: (start: Start) => void;
  /** The destination's circuit is open: true where the delivery was put off without an attempt. */
  readonly spare: (delivery: HeldDelivery, route: Route) => boolean;
  /** The trigger is gone (no route), suspended or unresolved. */
  readonly turnAway: (delivery: HeldDelivery, route: Route | undefined) => void;
  /** The lane has more than it can do soon: the delivery is to be read back at `due`. */
  readonly spill: (delivery: HeldDelivery, due: number) => void;
  /** A lane that was left out has room for more. */
  readonly eased: () => void;
}

/** Decides which delivery is next: lanes take turns, each within its own limits and its destination's. */
export interface Scheduler {
  add(delivery: HeldDelivery): void;
  /** The triggers that have enough to do for now: from here on they are left out, until `eased` is called. */
  leaveOut(): readonly string[];
  isLeftOut(trigger: string): boolean;
  /** Starts looking after lanes that make no progress. */
  tend(): void;
  /** Starts nothing more; answers what waits. */
  stop(): readonly HeldDelivery[];
}

/** Turns taken before other events of the process get theirs. */
const TURNS = 256;
const TEND_MS = 1000;
/** Of memory, what lanes that are crowded share; the rest is for those to which little comes. */
const SHARED = 0.75;
/** A lane has enough for now with so much of what it may hold, and has room again with so much: about one read between. */
const ENOUGH = 1 / 2;
const ROOM_AGAIN = 1 / 4;

/** Makes a scheduler without lanes. */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { routes, now, setTimer, log, maxInFlight, maxHeld } = parts;
  const lanes = new Map<string, Lane>();
  const destinations = createDestinations();
  const ready = createFifo<Lane>();
  let inFlight = 0;
  /** What a crowded lane may hold, as lanes stood when they were last looked after. */
  let share = shareOf(0);
  let planned = false;
  let stopped = false;
  let cancelTend: (() => void) | undefined;

  function list(lane: Lane): void {
    if (lane.listed || stopped) return;
    lane.listed = true;
    ready.push(lane);
    plan();
  }

  /** Turns are taken once the present callback is over: its senders get their answers first. */
  function plan(): void {
    if (planned) return;
    planned = true;
    queueMicrotask(takeTurns);
  }

  function takeTurns(): void {
    // Still planned meanwhile: what is listed by a turn is taken in this round or the next, never in one between.
    for (let turns = 0; turns < TURNS; turns++) {
      const lane = inFlight < maxInFlight ? ready.shift() : undefined;
      if (lane === undefined) break;
      lane.listed = false;
      if (takeTurn(lane)) list(lane);
    }
    planned = ready.size > 0 && inFlight < maxInFlight;
    if (planned) setImmediate(takeTurns);
  }

  /** True: the lane may have another turn. False: it is empty, or something will list it again. */
  function takeTurn(lane: Lane): boolean {
    const delivery = lane.queue.peek();
    if (delivery === undefined) return false;
    const route = routes.route(lane.trigger, lane.step);
    if (route === undefined || heldUp(route) !== undefined) {
      lane.queue.shift();
      parts.turnAway(delivery, route);
      shrunk(lane);
      return true;
    }
    const destination = destinations.of(route.destination.url);
    if (!fits(lane, destination, route)) return false;
    lane.queue.shift();
    launch(lane, delivery, route, destination);
    shrunk(lane);
    return true;
  }

  /** Nobody else would have what was left out read. */
  function shrunk(lane: Lane): void {
    if (!lane.leftOut || lane.queue.size > allowance(lane, now()) * ROOM_AGAIN) return;
    lane.leftOut = false;
    parts.eased();
  }

  /** The journal knows triggers, not steps: a stream's are never left out, else one step would hold up another. */
  function hasEnough(lane: Lane, at: number): boolean {
    const next = lane.queue.peek();
    return next?.task === undefined && lane.queue.size >= allowance(lane, at) * ENOUGH;
  }

  /** Whether the lane's and the destination's limits let an attempt start; where not, the lane waits for its cause. */
  function fits(lane: Lane, destination: DestinationState, { policy }: Route): boolean {
    // The end of one of its own attempts lists it again.
    if (lane.inFlight >= policy.concurrency) return false;
    destination.width = Math.max(destination.width, policy.concurrency);
    if (destination.inFlight >= destination.width) {
      lane.listed = true;
      destination.waiting.push(lane);
      return false;
    }
    const wait = takeToken(lane, policy.rateLimit, now());
    if (wait === 0) return true;
    lane.listed = true;
    // Looked at again before long: the rate may be edited meanwhile.
    setTimer(() => relist(lane), Math.min(wait, TEND_MS));
    return false;
  }

  function relist(lane: Lane): void {
    lane.listed = false;
    list(lane);
  }

  function launch(lane: Lane, delivery: HeldDelivery, route: Route, destination: DestinationState): void {
    const admitted = destination.circuit.admit(now());
    if (admitted === 'open' && parts.spare(delivery, route)) {
      lane.pace.left(now());
      return;
    }
    inFlight += 1;
    lane.inFlight += 1;
    destination.inFlight += 1;
    const probe = admitted === 'probe';
    parts.start({ delivery, route, ended: (health) => ended(lane, destination, health, probe) });
  }

  function ended(lane: Lane, destination: DestinationState, health: Health, probe: boolean): void {
    inFlight -= 1;
    lane.inFlight -= 1;
    destination.inFlight -= 1;
    const at = now();
    lane.pace.left(at);
    if (destination.circuit.ended(health, probe, at)) tellCircuit(destination, lane);
    if (destination.waiting.length > 0) {
      const waiting = destination.waiting;
      destination.waiting = [];
      for (const other of waiting) relist(other);
    }
    if (lane.queue.size > 0) list(lane);
    if (ready.size > 0) plan();
  }

  function tellCircuit({ circuit, url }: DestinationState, { trigger }: Lane): void {
    const where = { trigger, origin: new URL(url).origin };
    if (circuit.isOpen)
      log.warn(where, 'a target failed several times in a row; it is tried less often until it answers');
    else log.info(where, 'a target answers again');
  }

  function shareOf(crowded: number): number {
    return Math.max(LEAST_ALLOWANCE, Math.floor((maxHeld * SHARED) / Math.max(1, crowded)));
  }

  function tend(): void {
    const at = now();
    let crowded = 0;
    for (const { queue } of lanes.values()) if (queue.size > LEAST_ALLOWANCE) crowded += 1;
    share = shareOf(crowded);
    for (const [name, lane] of lanes) {
      const allowed = allowance(lane, at);
      while (lane.queue.size > allowed) spillNewest(lane, at);
      if (isAtRest(lane, at)) lanes.delete(name);
    }
    destinations.prune();
    cancelTend = setTimer(tend, TEND_MS);
  }

  function allowance({ pace }: Lane, at: number): number {
    return Math.min(share, pace.allowance(at));
  }

  function spillNewest(lane: Lane, at: number): void {
    const newest = lane.queue.pop();
    if (newest !== undefined) spill(lane, newest, at);
  }

  /**
   * A lane that has enough is left out of what is read back, so that what it gives back may be due at once: it is there when
   * there is room, however fast the lane is by then. What a slow lane or a step gives back comes at the lane's pace: one has
   * room for less than is read at once, the other cannot be left out.
   */
  function spill({ pace, queue }: Lane, delivery: HeldDelivery, at: number): void {
    const paced = delivery.task !== undefined || pace.isSlow(at);
    parts.spill(delivery, paced ? pace.slot(queue.size, at) : at);
  }

  function leaveOut(): readonly string[] {
    const at = now();
    const triggers: string[] = [];
    for (const lane of lanes.values()) {
      lane.leftOut = hasEnough(lane, at);
      if (lane.leftOut) triggers.push(lane.trigger);
    }
    return triggers;
  }

  return {
    add(delivery) {
      const { trigger } = delivery;
      const step = stepTask(delivery.task)?.step;
      const name = step === undefined ? trigger : `${trigger}/${step}`;
      let lane = lanes.get(name);
      if (lane === undefined) {
        lane = createLane(trigger, step, now());
        lanes.set(name, lane);
      }
      const waiting = lane.queue.size;
      if (waiting === 0 && lane.inFlight === 0) lane.pace.woke(now());
      if (waiting >= LEAST_ALLOWANCE && waiting >= allowance(lane, now())) {
        spill(lane, delivery, now());
        return;
      }
      lane.queue.push(delivery);
      list(lane);
    },
    leaveOut,
    isLeftOut: (trigger) => lanes.get(trigger)?.leftOut ?? false,
    tend,
    stop() {
      stopped = true;
      cancelTend?.();
      const waiting: HeldDelivery[] = [];
      for (const lane of lanes.values()) {
        for (let next = lane.queue.shift(); next !== undefined; next = lane.queue.shift()) waiting.push(next);
      }
      return waiting;
    },
  };
}
