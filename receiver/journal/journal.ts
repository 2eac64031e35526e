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
}

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
  readonly event: StoredEvent;
  readonly deliveries: readonly NewDelivery[];
  /** JSON text that a repeat is answered with. */
  readonly answer: string;
}

export type UnitOutcome =
  | {
      readonly outcome: 'committed';
      /** The event's number: grows with every event, and is its id in the admin API. */
      readonly event: number;
      /** One id per delivery, in order. */
      readonly deliveries: readonly number[];
    }
  | { readonly outcome: 'seen'; readonly answer: string; readonly differs: boolean };

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
}

export type DeliveryState = 'waiting' | 'parked' | 'delivered' | 'dead';

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
  readonly state: DeliveryState;
  readonly due?: number;
  readonly reason?: string;
  readonly attributes: string;
  readonly receivedAt: number;
  /** The newest 20, oldest first. */
  readonly attempts: readonly Attempt[];
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
  /** Takes up to `limit` deliveries (at most `bytes` of data) that are due and that nobody holds; they are held from then on. */
  claim(now: number, limit: number, bytes: number): Promise<readonly ClaimedDelivery[]>;
  /** When the earliest delivery that waits and that nobody holds is due. */
  nextDue(): Promise<number | undefined>;
  /** Makes a trigger's parked deliveries due at `now`; how many there were. */
  release(trigger: string, now: number): Promise<number>;
  /** Both lists go newest first, page by page. @throws RangeError for a cursor that no list gave out */
  events(query: Query): Promise<Page<EventRow>>;
  event(
    event: number,
  ): Promise<{ readonly row: EventRow; readonly data: Uint8Array | undefined } | undefined>;
  deliveries(query: Query): Promise<Page<DeliveryRow>>;
  stats(): Promise<JournalStats>;
  /** Drops what has passed its retention, in small steps; how many events went. */
  prune(now: number): Promise<number>;
  /** Waits until all that was handed over is durable; rejects with a JournalError where something is not. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
