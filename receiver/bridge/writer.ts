import type { SetTimer } from '../deliver/outbound.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Log } from '../observe/log.ts';
import type { RunningBridge } from '../routing/runtime.ts';
import type { Unwritten, WriteEvents, Written } from './entrance.ts';
import { createJobStates } from './job-states.ts';
import type { Outbox, Parcel } from './outbox.ts';
import { checkPosition, type Place, type Position, writePosition } from './position.ts';

/** What a writer works with. */
export interface WriterParts {
  readonly bridge: RunningBridge;
  /** Which backend it reads (deliver/loop-guard.ts, originOf). */
  readonly origin: string;
  readonly place: Place;
  readonly outbox: Outbox;
  readonly write: WriteEvents;
  /** Whether nothing is amiss but what waits to be written: the gap ends here. */
  readonly caughtUp: () => boolean;
  /** Whether how far jobs are belongs to the position. */
  readonly keepsJobs: () => boolean;
  /** Events are durable. */
  readonly written: (written: Written) => void;
  /** Another receiver has taken the bridge over. */
  readonly lost: () => void;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly log: Log;
}

/** Writes what a bridge has read into the journal, in order, and with it how far that is. */
export interface Writer {
  /** There is something to write, or soon will be. */
  plan(): void;
  /** Until when nothing was missed, ms since the epoch. */
  readonly until: number;
  stop(): void;
}

/** Events in one transaction, at most. */
const COMMIT = 500;
/** Transactions under way at once: while one is made durable the next is on its way. */
const AT_ONCE = 4;
const RETRY_MS = 500;
/** Jobs whose state the journal knows. */
const SAVED_JOBS = 2000;
/** A position that only tells how far jobs are is written so often at most. */
const SAVE_MS = 1000;

/** One transaction under way. */
interface Batch {
  readonly parcels: readonly Parcel[];
  /** The position that it writes; undefined: it only expects the last one. */
  readonly position: Position | undefined;
  /** The version of the position's row once it is written. */
  readonly after: number;
  outcome: Written | Unwritten | undefined;
}

/**
 * Makes a Writer. Several transactions are under way at once, and each that writes the position expects the position that
 * the one before it writes. So the journal itself keeps one from passing another that failed: what follows a failed one
 * fails as well, and all of it is written anew, together. One that writes no position stands for itself; none that does
 * is begun before it is durable. Whatever is on disk, the position on disk tells of nothing that is not.
 */
export function createWriter(parts: WriterParts): Writer {
  const { bridge, origin, outbox, now, log } = parts;
  const before = parts.place.position;
  const jobs = createJobStates(before?.jobs ?? [], SAVED_JOBS);
  let { version } = parts.place;
  /** The newest version that is known to be on disk. */
  let durable = version;
  let cursor = before?.cursor;
  let until = before?.until ?? now();
  let savedAt = Number.NEGATIVE_INFINITY;
  let underWay: Batch[] = [];
  /** Taken already, and not begun. */
  let next: readonly Parcel[] | undefined;
  let planned = false;
  /** After a failure, until what was under way has ended and a moment has passed. */
  let halted = false;
  let cancelRetry: (() => void) | undefined;
  let over = false;

  function plan(): void {
    if (planned || halted || over) return;
    planned = true;
    // What came in one piece goes in one transaction.
    setImmediate(begin);
  }

  function begin(): void {
    planned = false;
    while (!over && !halted && underWay.length < AT_ONCE) {
      const parcels = next ?? taken();
      next = undefined;
      if (parcels === undefined) return;
      const at = now();
      const place = parcels.findLast(({ page }) => page !== undefined)?.page?.cursor;
      const saves = at - savedAt >= SAVE_MS || (place !== undefined && place !== cursor);
      if (saves && underWay.some(({ position }) => position === undefined)) {
        next = parcels;
        return;
      }
      commit(parcels, saves ? positionAt(at, place ?? cursor) : undefined, at);
    }
  }

  /** While one is under way, what comes gathers until it fills another. */
  function taken(): readonly Parcel[] | undefined {
    if (underWay.length > 0 && !outbox.holds(COMMIT)) return undefined;
    const parcels = outbox.take(COMMIT);
    note(parcels);
    return parcels.length > 0 || savedAt === Number.NEGATIVE_INFINITY ? parcels : undefined;
  }

  function note(parcels: readonly Parcel[]): void {
    for (const { standing, attempt } of parcels) if (standing !== undefined) jobs.found(standing, attempt);
  }

  function positionAt(at: number, place: string | undefined): Position {
    return {
      origin,
      ...(place === undefined ? {} : { cursor: place }),
      until: parts.caughtUp() && outbox.size === 0 ? at : until,
      ...(parts.keepsJobs() ? { jobs: jobs.save(SAVED_JOBS) } : {}),
    };
  }

  function commit(parcels: readonly Parcel[], position: Position | undefined, at: number): void {
    const check = checkPosition(bridge.key, version);
    const row = position === undefined ? check : writePosition(bridge.key, version, position, at);
    if (position !== undefined) {
      version += 1;
      savedAt = at;
      cursor = position.cursor;
    }
    const batch: Batch = { parcels, position, after: version, outcome: undefined };
    underWay.push(batch);
    const events = parcels.flatMap((parcel): readonly CloudEvent[] => parcel.events ?? []);
    parts.write(bridge, events, { row, fence: checkPosition(bridge.key, version) }, (outcome) => {
      batch.outcome = outcome;
      if (!over) ended();
    });
  }

  function ended(): void {
    let [first] = underWay;
    while (first?.outcome !== undefined && !('cause' in first.outcome)) {
      underWay.shift();
      confirm(first, first.outcome);
      [first] = underWay;
    }
    if (first?.outcome !== undefined && 'cause' in first.outcome) failed(first.outcome);
    else plan();
  }

  function confirm({ parcels, position, after }: Batch, outcome: Written): void {
    durable = Math.max(durable, after);
    if (position !== undefined) until = position.until;
    for (const { page } of parcels) page?.safe();
    parts.written(outcome);
  }

  function failed({ lost, cause }: Unwritten): void {
    // Nothing before it failed: it is another receiver that wrote.
    if (lost) {
      stop();
      parts.lost();
      return;
    }
    halted = true;
    if (underWay.some(({ outcome }) => outcome === undefined)) return;
    log.warn({ bridge: bridge.key, cause }, "a bridge's events cannot be written; trying again");
    const all = underWay;
    underWay = [];
    const again: Parcel[] = [];
    for (const batch of all) {
      if (batch.outcome !== undefined && !('cause' in batch.outcome)) confirm(batch, batch.outcome);
      else again.push(...batch.parcels);
    }
    next = [...again, ...(next ?? [])];
    version = durable;
    savedAt = Number.NEGATIVE_INFINITY;
    later();
  }

  function later(): void {
    cancelRetry = parts.setTimer(() => {
      halted = false;
      begin();
    }, RETRY_MS);
  }

  function stop(): void {
    over = true;
    cancelRetry?.();
  }

  return {
    plan,
    get until() {
      return until;
    },
    stop,
  };
}
