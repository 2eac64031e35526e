/** How long a lane's past counts, in milliseconds. */
const WINDOW_MS = 1000;
/** For so long a lane that got work after a rest is given the benefit of the doubt. */
const FRESH_MS = 1000;
/** What it may hold in memory meanwhile. */
const FRESH_ALLOWANCE = 1000;
/** What any lane may hold in memory. */
export const LEAST_ALLOWANCE = 64;
/** It may hold what it delivers in so many seconds. */
const SECONDS_AHEAD = 2;
/** Deliveries per second that are hoped for from a lane without a past. */
const HOPED_RATE = 320;
const HOPE_FADES_MS = 100;
const NEAREST_SLOT_MS = 100;
const FARTHEST_SLOT_MS = 120_000;

/** How fast a lane gets rid of its deliveries, and so how many of them deserve memory. */
export interface Pace {
  /** A delivery left. */
  left(now: number): void;
  /** The lane got work after it had none: it cannot be called slow before it had time. */
  woke(now: number): void;
  /** How many deliveries may wait in memory. */
  allowance(now: number): number;
  /** Whether it moves so slowly that no more than the least may wait. */
  isSlow(now: number): boolean;
  /** When one more delivery should be read back from the journal, behind `waiting` others in memory. */
  slot(waiting: number, now: number): number;
}

/** Makes the pace of a new lane. Pure but for its own state: the time is passed in. */
export function createPace(start: number): Pace {
  let level = 0;
  let levelAt = start;
  let progressAt = start;
  let wokeAt = start;
  let lastSlot = 0;

  function rate(now: number): number {
    return level * Math.exp(-Math.max(0, now - levelAt) / WINDOW_MS);
  }

  function allowance(now: number): number {
    const floor = now - wokeAt < FRESH_MS ? FRESH_ALLOWANCE : LEAST_ALLOWANCE;
    return Math.max(floor, SECONDS_AHEAD * rate(now));
  }

  return {
    left(now) {
      level = rate(now) + 1;
      levelAt = now;
      progressAt = now;
    },
    woke(now) {
      wokeAt = now;
      progressAt = now;
    },
    allowance,
    isSlow: (now) => allowance(now) <= LEAST_ALLOWANCE,
    slot(waiting, now) {
      const hoped = HOPED_RATE / (1 + Math.max(0, now - progressAt) / HOPE_FADES_MS);
      const perSecond = Math.max(rate(now), hoped);
      const behind = Math.max(lastSlot, now + (1000 * waiting) / perSecond) + 1000 / perSecond;
      // Nearer slots would come back to a queue that is still full, farther ones would outlast the slowness.
      lastSlot = Math.min(Math.max(behind, now + NEAREST_SLOT_MS), now + FARTHEST_SLOT_MS);
      return Math.round(lastSlot);
    },
  };
}
