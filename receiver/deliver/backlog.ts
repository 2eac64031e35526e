/** What bounds the work that was promised and is not done. */
export interface BacklogBounds {
  /** Deliveries that wait or are parked: at so many nothing more is accepted. */
  readonly most: number;
}

/** Deliveries in the journal at most, where nobody says otherwise; the journal's size on disk bounds them too. */
export const BACKLOG_BOUNDS: BacklogBounds = { most: 5_000_000 };

/** Why nothing is accepted now, and for how many seconds that may last. */
export interface Full {
  /** `full`: the bound is reached. `behind`: accepting takes the time that delivering needs. */
  readonly why: 'full' | 'behind';
  readonly retryAfter: number;
}

/** Keeps what was promised in proportion to what gets done. Cheap enough to be asked by every request. */
export interface Backlog {
  /** Why nothing may be accepted now; undefined: go ahead. */
  full(): Full | undefined;
  /** Deliveries were committed; `due` of them may be tried at once. */
  added(deliveries: number, due: number): void;
  /** A delivery had its first attempt, or came to its end without one. */
  tried(): void;
  /** To be called about once a second. */
  sample(sample: BacklogSample): void;
  /** Deliveries of this process that were never tried. */
  readonly untried: number;
}

/** How things stand. */
export interface BacklogSample {
  /** What the journal counts. */
  readonly backlog: number;
  /** How much of the time since the last sample this thread was busy, from 0 to 1. */
  readonly busy: number;
  readonly now: number;
}

/** When the bound was reached, so much of it must be free again before anything is accepted. */
const ROOM_AGAIN = 0.05;
/** So many untried deliveries are no more than a burst, and fit in memory. */
const BURST = 10_000;
/** Deliveries that are tried later than this are late. */
const LATE_S = 5;
/** A thread that is as busy as this has no time left: what is late is late because of what is accepted. */
const SATURATED = 0.95;
/** How much of a rate's past counts at each sample. */
const MEMORY = 0.5;
const LONGEST_S = 300;

/** Makes a Backlog that knows of nothing. Pure but for its own state: the time is passed in. */
export function createBacklog({ most }: BacklogBounds): Backlog {
  let counted = 0;
  let sinceCounted = 0;
  let untried = 0;
  let triedSince = 0;
  let sampledAt: number | undefined;
  let busy = 0;
  let drainRate = 0;
  let tryRate = 0;
  let full = false;

  function isFull(): boolean {
    const backlog = counted + sinceCounted;
    full = backlog >= most || (full && backlog > most * (1 - ROOM_AGAIN));
    return full;
  }

  function isBehind(): boolean {
    return busy >= SATURATED && untried > BURST && untried > LATE_S * tryRate;
  }

  return {
    full() {
      if (isFull()) {
        const excess = counted + sinceCounted - most * (1 - ROOM_AGAIN);
        return { why: 'full', retryAfter: secondsFor(excess, drainRate) };
      }
      if (!isBehind()) return undefined;
      return { why: 'behind', retryAfter: secondsFor(untried - Math.max(BURST, LATE_S * tryRate), tryRate) };
    },
    added(deliveries, due) {
      sinceCounted += deliveries;
      untried += due;
    },
    tried() {
      triedSince += 1;
      // What an earlier process left untried was never added here.
      if (untried > 0) untried -= 1;
    },
    sample(sample) {
      const seconds = sampledAt === undefined ? 0 : (sample.now - sampledAt) / 1000;
      // A clock that was set back tells nothing of a rate.
      if (seconds > 0) {
        const drained = Math.max(0, counted + sinceCounted - sample.backlog);
        drainRate = drainRate * MEMORY + (drained / seconds) * (1 - MEMORY);
        tryRate = tryRate * MEMORY + (triedSince / seconds) * (1 - MEMORY);
      }
      sampledAt = sample.now;
      counted = sample.backlog;
      sinceCounted = 0;
      triedSince = 0;
      busy = sample.busy;
    },
    get untried() {
      return untried;
    },
  };
}

/** How long so many take at that rate; no promise is longer than one that can be kept. */
function secondsFor(count: number, perSecond: number): number {
  if (perSecond <= 0) return LONGEST_S;
  return Math.min(LONGEST_S, Math.max(1, Math.ceil(count / perSecond)));
}
