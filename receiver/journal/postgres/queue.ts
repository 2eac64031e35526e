import { JournalError, type Settlement, type Unit, type UnitOutcome } from '../journal.ts';
import { createPacer } from '../pace.ts';
import type { Batch } from './write-batch.ts';

/** What a transaction costs is shared by more. */
const PACE_MS = 4;
const LONGEST_PACE_MS = 8;
/** How long a settlement waits for a commit to ride with. */
const SETTLE_MS = 3;
/** How long after a failure what was left over is tried again. */
const RETRY_MS = 250;
/** What one transaction takes at most. */
const MOST_UNITS = 1000;
const MOST_BYTES = 4 << 20;
const MOST_SETTLEMENTS = 4000;
/** More waiting than this: memory is not for what the database cannot take. */
const MOST_WAITING_BYTES = 256 << 20;

type Done = (error: JournalError | undefined, outcomes: readonly UnitOutcome[]) => void;

interface Call {
  readonly units: readonly Unit[];
  readonly bytes: number;
  readonly done: Done;
}

/** How much of each was handed over, or is on disk; each goes in the order in which it came. */
interface Counts {
  calls: number;
  settlements: number;
  shapes: number;
}

/** Waits for what had been handed over when it came, and not for what comes behind: under load that never ends. */
interface Waiter {
  readonly upTo: Counts;
  readonly resolve: () => void;
  readonly reject: (error: JournalError) => void;
}

/** What the queue works with. */
export interface QueueParts {
  /** Writes a batch in one transaction, or rejects with a JournalError. */
  readonly write: (batch: Batch) => Promise<readonly UnitOutcome[]>;
  /** Whether a failure is the batch's own: then each call is tried alone. */
  readonly isOwn: (error: JournalError) => boolean;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** Calls that were made and are not written yet. */
export interface Queue {
  commit(units: readonly Unit[], done: Done): void;
  settle(settlement: Settlement): void;
  putShape(hash: string, shape: string): void;
  /** Waits until all that was handed over before is on disk; rejects where something is not. */
  flush(): Promise<void>;
  /** Refuses what comes from now on. */
  end(error: JournalError): void;
}

/** Makes an empty queue: calls that are made while a transaction is under way share the next one. */
export function createQueue({ write, isOwn, clock }: QueueParts): Queue {
  let calls: Call[] = [];
  let settlements: Settlement[] = [];
  let shapes = new Map<string, string>();
  let waiting = 0;
  let busy = false;
  let lazily: NodeJS.Timeout | undefined;
  let ended: JournalError | undefined;
  let waiters: Waiter[] = [];
  const given: Counts = { calls: 0, settlements: 0, shapes: 0 };
  const written: Counts = { calls: 0, settlements: 0, shapes: 0 };

  const idle = (): boolean => calls.length === 0 && settlements.length === 0 && shapes.size === 0;

  const pacer = createPacer({
    paceMs: PACE_MS,
    longestMs: LONGEST_PACE_MS,
    clock,
    after: setTimeout,
    nextTurn: setImmediate,
    calls: () => calls.length,
    go,
  });

  function plan(): void {
    if (!busy) pacer.plan();
  }

  function planWithin(ms: number): void {
    if (busy) return;
    lazily ??= setTimeout(go, ms);
  }

  function go(): void {
    clearTimeout(lazily);
    lazily = undefined;
    if (busy || idle()) return;
    busy = true;
    void turn().finally(() => {
      busy = false;
      answerWaiters();
      if (calls.length > 0 || waiters.length > 0) plan();
      else if (!idle()) planWithin(failed === undefined ? SETTLE_MS : RETRY_MS);
    });
  }

  let failed: JournalError | undefined;

  async function turn(): Promise<void> {
    const taken = takeCalls();
    const told = settlements.slice(0, MOST_SETTLEMENTS);
    settlements = settlements.slice(told.length);
    const put = shapes;
    shapes = new Map();
    const { shapes: upTo } = given;
    pacer.went(taken.length);
    failed = await together(taken, told, put);
    written.calls += taken.length;
    if (failed === undefined) {
      written.settlements += told.length;
      written.shapes = upTo;
    } else {
      // What was told lazily is told again: before what came after it.
      settlements = [...told, ...settlements];
      for (const [hash, shape] of put) if (!shapes.has(hash)) shapes.set(hash, shape);
    }
  }

  async function together(
    taken: readonly Call[],
    told: readonly Settlement[],
    put: ReadonlyMap<string, string>,
  ): Promise<JournalError | undefined> {
    try {
      answer(
        taken,
        await write({ units: taken.flatMap(({ units }) => units), settlements: told, shapes: put }),
      );
      return undefined;
    } catch (error) {
      const failure = error as JournalError;
      if (taken.length < 2 || !isOwn(failure)) {
        for (const { done } of taken) call(done, failure, []);
        return failure;
      }
      return apart(taken, told, put);
    }
  }

  /** The shared transaction failed for what one of the calls is: what nobody waits for first, then each call alone. */
  async function apart(
    taken: readonly Call[],
    told: readonly Settlement[],
    put: ReadonlyMap<string, string>,
  ): Promise<JournalError | undefined> {
    const left = await together([], told, put);
    for (const each of taken) await together([each], [], new Map());
    return left;
  }

  function takeCalls(): Call[] {
    let units = 0;
    let bytes = 0;
    let count = 0;
    for (const each of calls) {
      units += each.units.length;
      bytes += each.bytes;
      if (count > 0 && (units > MOST_UNITS || bytes > MOST_BYTES)) break;
      count++;
    }
    const taken = calls.slice(0, count);
    calls = calls.slice(count);
    for (const each of taken) waiting -= each.bytes;
    return taken;
  }

  function answerWaiters(): void {
    const left: Waiter[] = [];
    for (const waiter of waiters) {
      if (failed !== undefined) waiter.reject(failed);
      else if (isWritten(waiter.upTo)) waiter.resolve();
      else left.push(waiter);
    }
    waiters = left;
  }

  function isWritten({ calls, settlements, shapes }: Counts): boolean {
    return calls <= written.calls && settlements <= written.settlements && shapes <= written.shapes;
  }

  return {
    commit(units, done) {
      const refusal = ended ?? (waiting > MOST_WAITING_BYTES ? overrun() : undefined);
      if (refusal !== undefined) {
        queueMicrotask(() => done(refusal, []));
        return;
      }
      const bytes = units.reduce((sum, unit) => sum + sizeOf(unit), 0);
      calls.push({ units: units.map(copied), bytes, done });
      given.calls++;
      waiting += bytes;
      plan();
    },
    settle(settlement) {
      if (ended !== undefined) return;
      settlements.push(settlement);
      given.settlements++;
      planWithin(SETTLE_MS);
    },
    putShape(hash, shape) {
      if (ended !== undefined) return;
      shapes.set(hash, shape);
      given.shapes++;
      planWithin(SETTLE_MS);
    },
    flush() {
      if (ended !== undefined) return Promise.reject(ended);
      if (isWritten(given)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiters.push({ upTo: { ...given }, resolve, reject });
        plan();
      });
    },
    end(error) {
      ended = error;
      clearTimeout(lazily);
    },
  };
}

/** The caller may use its buffers again. */
function copied(unit: Unit): Unit {
  const { event } = unit;
  return event?.data === undefined ? unit : { ...unit, event: { ...event, data: Buffer.from(event.data) } };
}

function sizeOf({ event, rows = [] }: Unit): number {
  const bodies = rows.reduce((sum, row) => sum + ('body' in row ? row.body.length : 0), 0);
  return bodies + (event === undefined ? 0 : event.attributes.length + (event.data?.length ?? 0));
}

function overrun(): JournalError {
  return new JournalError('JournalUnavailable', 'the database takes events more slowly than they come');
}

/** A callback that throws is its own caller's bug: it is thrown where nobody else is in the way. */
function call(done: Done, error: JournalError | undefined, outcomes: readonly UnitOutcome[]): void {
  try {
    done(error, outcomes);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

function answer(calls: readonly Call[], outcomes: readonly UnitOutcome[]): void {
  let at = 0;
  for (const { units, done } of calls) {
    call(done, undefined, outcomes.slice(at, at + units.length));
    at += units.length;
  }
}
