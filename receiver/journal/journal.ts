/**
 * The journal: what a receiver has promised. One interface, several engines (SQLite in `sqlite/`).
 * An engine stores and never decides: a unit of work carries what it expects and what it writes.
 * Times are milliseconds since the epoch and are always passed in: an engine has no clock of its own.
 */

/** An event as it is stored: attributes and data bytes apart, so that nothing is encoded twice. */
export interface StoredEvent {
  /** `WebhookSecret/ns/name`, `EventTrigger/ns/name` (its cluster address) or `EventBridge/ns/name`. */
  readonly entrance: string;
  readonly receivedAt: number;
  /** JSON text of the attributes (CloudEvent.attributes). */
  readonly attributes: string;
  readonly data: Uint8Array | undefined;
  /** What the decision record keeps, as JSON text: verifying key, table revision, triggers that matched. */
  readonly record: string;
}

/** One delivery to be made of an event. */
export interface NewDelivery {
  /** `namespace/name` of the trigger. */
  readonly trigger: string;
  /** Content hash of the Shape it pins; see `putShape`. */
  readonly shape: string;
  /** When the first attempt is due. */
  readonly due: number;
  /**
   * True: the delivery engine holds it in memory from the commit on, and `claim` does not hand it out until it is settled
   * as waiting, or the journal is opened again.
   */
  readonly held: boolean;
  /** Why its trigger may not deliver now: the delivery is parked from the start. Never together with `held`. */
  readonly parked?: string | undefined;
  /** What it carries out; the journal only keeps it. */
  readonly task?: string | undefined;
  /**
   * Deliveries of one trigger with one line are given out one at a time, in order of their ids: the next is due when the one
   * before is delivered or dead, and waits behind one that is parked. A dead one that is redriven takes its place by its
   * id once the one that is being given out has ended. Never together with `held`.
   */
  readonly line?: string | undefined;
}

/** A row that units change by compare-and-set. */
export interface StateRow {
  /** A name of the writer's: the rows of a kind are listed, counted and timed together. */
  readonly kind: string;
  /** Unique within its kind; 1 to 512 bytes. */
  readonly id: string;
  /** 1 when it is made, and one more with each write; a row that went and came again goes on from 1. */
  readonly version: number;
  /** `namespace/name` of the resource that it belongs to. */
  readonly owner: string;
  /** Short; counted by kind, owner and status. */
  readonly status: string;
  /** JSON text, the writer's own; at most 4 MiB. */
  readonly body: string;
  /** When it wants attention. */
  readonly due?: number;
  /** From then on pruning may drop it; left out: it stays. */
  readonly expiresAt?: number;
  /** The `at` of the write that made it, and of the last one. */
  readonly createdAt: number;
  readonly changedAt: number;
}

/** A change of one row; `expect` is the version that the writer saw, 0 where it saw none. */
export type RowWrite = {
  readonly kind: string;
  readonly id: string;
  readonly expect: number;
} & (
  | {
      readonly at: number;
      readonly owner: string;
      readonly status: string;
      readonly body: string;
      readonly due?: number | undefined;
      readonly expiresAt?: number | undefined;
    }
  | { readonly remove: true }
  /** Expects, and writes nothing. */
  | { readonly check: true }
);

/** One unit of work. All units of one `commit` call are written in one transaction, or none is. */
export interface Unit {
  /**
   * Expectation: no event with this key was accepted in its window. Where it fails, the unit writes nothing and its
   * outcome is `seen`. `fingerprint` tells whether a repeat has other bytes.
   */
  readonly unseen?: {
    /** 16 bytes: hash of entrance, source and id. */
    readonly key: Uint8Array;
    /** 8 bytes: hash of what the event carries. */
    readonly fingerprint: Uint8Array;
    readonly expiresAt: number;
    /**
     * True: the commit takes the key. False: the unit is only refused where the key is taken already; an event that
     * nobody wanted leaves its id free.
     */
    readonly occupy: boolean;
  };
  /** Left out: the unit has no event of its own, and then neither `unseen` nor deliveries. */
  readonly event?: StoredEvent;
  readonly deliveries: readonly NewDelivery[];
  /**
   * Each row at most once. Where one is not at the version that is expected, the unit writes nothing and its outcome is
   * `conflict`. Judged after `unseen`, and after the units before it.
   */
  readonly rows?: readonly RowWrite[];
  /** Carried out with the unit, only if it is committed. One that is void does not keep the unit from being committed. */
  readonly settlements?: readonly Settlement[];
  /** JSON text that a repeat is answered with. */
  readonly answer: string;
}

export type UnitOutcome =
  | {
      readonly outcome: 'committed';
      /** The event's number: grows with every event, and is its id in the admin API. 0 where the unit has no event. */
      readonly event: number;
      /** One id per delivery, in order. */
      readonly deliveries: readonly number[];
    }
  | { readonly outcome: 'seen'; readonly answer: string; readonly differs: boolean }
  /** `row`: which of the unit's rows was the first whose expectation failed. */
  | { readonly outcome: 'conflict'; readonly row: number };

/** One attempt, as the decision record keeps it. */
export interface Attempt {
  readonly at: number;
  readonly durationMs: number;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** A short reason, where it did not succeed; safe to show. */
  readonly error?: string;
  /** What the target made of it, for example the job's id. */
  readonly result?: string;
}

/**
 * What became of a delivery after an attempt, or without one. Whatever it says, the hold ends with it. A dead delivery may
 * be settled as waiting (redrive): its attempts are counted anew, its history stays. A delivered one stays delivered; a
 * settlement of it, or of an unknown delivery, is void.
 */
export type Settlement =
  | { readonly delivery: number; readonly state: 'delivered'; readonly attempt: Attempt }
  | { readonly delivery: number; readonly state: 'waiting'; readonly due: number; readonly attempt?: Attempt }
  | {
      readonly delivery: number;
      readonly state: 'dead';
      readonly at: number;
      readonly reason: string;
      readonly attempt?: Attempt;
    }
  /** Waits without a due time until `release` is called for its trigger (suspended, unresolved). */
  | { readonly delivery: number; readonly state: 'parked'; readonly reason: string };

/** A delivery read back from the journal. */
export interface ClaimedDelivery {
  readonly id: number;
  readonly trigger: string;
  readonly shape: string;
  /** Attempts made so far, or since it was redriven. */
  readonly attempts: number;
  /** When its event was accepted. */
  readonly receivedAt: number;
  readonly event: number;
  readonly entrance: string;
  readonly attributes: string;
  readonly data: Uint8Array | undefined;
  readonly task?: string;
  readonly line?: string;
}

export const DELIVERY_STATES = ['waiting', 'parked', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * What the admin lists can be narrowed by; `since` and `until` are times of acceptance. Events are narrowed by `trigger`
 * and `state` to those with a delivery that fits both.
 */
export interface Query {
  readonly source?: string;
  readonly id?: string;
  readonly type?: string;
  readonly trigger?: string;
  readonly state?: string;
  /** Deliveries only: those of the event with this number. */
  readonly event?: number;
  readonly since?: number;
  readonly until?: number;
  /** 1 to 1000. */
  readonly limit: number;
  /** Where the last page ended. */
  readonly cursor?: string;
}

/** What a list of rows is narrowed by. */
export interface RowQuery {
  readonly kind: string;
  readonly owner?: string;
  readonly status?: string;
  /** 1 to 1000. */
  readonly limit: number;
  /** Where the last page ended. */
  readonly cursor?: string;
}

/** How many rows of a kind have one owner and one status. */
export interface RowCount {
  readonly owner: string;
  readonly status: string;
  readonly count: number;
}

/** `next` is where the next page begins; a page may be shorter than its limit and yet have one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface EventRow {
  readonly event: number;
  readonly entrance: string;
  readonly receivedAt: number;
  readonly attributes: string;
  readonly record: string;
  readonly bytes: number;
}

export interface DeliveryRow {
  readonly id: number;
  readonly event: number;
  readonly trigger: string;
  /** `waiting` also for one that waits behind another of its line; it has no `due` then. */
  readonly state: DeliveryState;
  readonly due?: number;
  readonly reason?: string;
  readonly task?: string;
  readonly line?: string;
  readonly attributes: string;
  readonly receivedAt: number;
  /** The newest 20, oldest first. */
  readonly attempts: readonly Attempt[];
}

/** How many deliveries of a trigger wait or are parked. */
export interface TriggerCount {
  readonly trigger: string;
  readonly count: number;
}

export interface JournalStats {
  /** Deliveries that wait or are parked. */
  readonly backlog: number;
  /** When the oldest event with an undone delivery was accepted. */
  readonly oldest?: number;
  readonly dead: number;
  readonly bytes: number;
}

/** Answered by `commit` when nothing could be written; the caller answers 503 (`JournalFull`, `JournalUnavailable`). */
export class JournalError extends Error {
  readonly code: 'JournalFull' | 'JournalUnavailable' | 'JournalCorrupt' | 'JournalLocked' | 'JournalTooNew';

  constructor(code: JournalError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'JournalError';
    this.code = code;
  }
}

export interface Journal {
  /**
   * Writes all units in one transaction and calls back once they are durable (fsynced), with one outcome per unit.
   * Calls made close together share a transaction, and are called back in their order; where the shared one fails, each is
   * tried alone. A callback, not a promise: this is the hot path. The units' bytes are copied before it returns.
   * @throws RangeError for a unit that no engine could keep (check-units.ts): the caller's bug
   */
  commit(
    units: readonly Unit[],
    done: (error: JournalError | undefined, outcomes: readonly UnitOutcome[]) => void,
  ): void;
  /**
   * Notes what became of deliveries. Lazy: it rides with the next commit (at most a few ms later); `flush` awaits it.
   * A crash before that repeats an attempt, which at-least-once allows.
   */
  settle(settlement: Settlement): void;
  /**
   * Stores a Shape under its content hash; a repeat costs nothing. It is kept until the journal is closed, and from then on
   * while a delivery refers to it. Rides with the next commit.
   */
  putShape(hash: string, shape: string): void;
  /** The Shape's JSON text, or undefined. */
  shape(hash: string): Promise<string | undefined>;
  /**
   * Takes up to `limit` deliveries (at most `bytes` of data) that are due and that nobody holds; they are held from then on.
   * Where more are due, each trigger gets a share of the claim: one with a million does not starve one with ten. Triggers
   * of `except` are left out.
   */
  claim(
    now: number,
    limit: number,
    bytes: number,
    except?: readonly string[],
  ): Promise<readonly ClaimedDelivery[]>;
  /** When the earliest delivery that waits and that nobody holds is due, those of the triggers of `except` left out. */
  nextDue(except?: readonly string[]): Promise<number | undefined>;
  /** Makes a trigger's parked deliveries due at `now`; how many there were. */
  release(trigger: string, now: number): Promise<number>;
  /** Both lists go newest first, page by page. @throws RangeError for a cursor that no list gave out */
  events(query: Query): Promise<Page<EventRow>>;
  event(
    event: number,
  ): Promise<{ readonly row: EventRow; readonly data: Uint8Array | undefined } | undefined>;
  deliveries(query: Query): Promise<Page<DeliveryRow>>;
  stats(): Promise<JournalStats>;
  /** The backlog by trigger. It reads all that is undone: once, at a start. */
  countUndone(): Promise<readonly TriggerCount[]>;
  /** The rows of a kind with these ids, in their order; undefined where there is none. */
  rows(kind: string, ids: readonly string[]): Promise<readonly (StateRow | undefined)[]>;
  /** The rows of a kind that are due, earliest first. */
  dueRows(kind: string, now: number, limit: number): Promise<readonly StateRow[]>;
  /** When due rows of a kind are to be asked for again: not after the earliest is due, and at times before it. */
  nextRowDue(kind: string): Promise<number | undefined>;
  /** Newest made first, page by page. @throws RangeError for a cursor that no list gave out */
  listRows(query: RowQuery): Promise<Page<StateRow>>;
  /** Kept, not counted when asked; in no order, and only what there is. */
  countRows(kind: string): Promise<readonly RowCount[]>;
  /**
   * Calls back when deliveries or rows may be due that another process put there or left; any number may watch. An engine that
   * one process has for itself never calls.
   */
  watch(due: () => void): void;
  /** Drops what has passed its retention, in small steps; how many events went. */
  prune(now: number): Promise<number>;
  /** Waits until all that was handed over is durable; rejects with a JournalError where something is not. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
