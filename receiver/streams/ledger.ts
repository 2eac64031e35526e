import type { RowWrite, StateRow } from '../journal/journal.ts';
import type { PinnedShape } from '../routing/pinned-shape.ts';
import type { Unused } from './draft.ts';
import type { Kept } from './kept.ts';
import type { Kind, RowChange } from './rows.ts';

/** A row that has to be read before more can be decided. */
export class NeedRow extends Error {
  readonly kind: Kind;
  readonly id: string;

  constructor(kind: Kind, id: string) {
    super(`the row ${kind} ${id} is not read yet`);
    this.name = 'NeedRow';
    this.kind = kind;
    this.id = id;
  }
}

/** Rows as they are known: undefined is one that is not there, and what was not read is not in the map. */
export type KnownRows = ReadonlyMap<string, StateRow | undefined>;

/** How a row is named in KnownRows. */
export function rowKey(kind: string, id: string): string {
  return `${kind}\n${id}`;
}

/** A delivery that a decision makes of an event. */
export interface PlannedDelivery {
  readonly trigger: string;
  readonly shape: PinnedShape;
  readonly task: string;
  /** The step's name; undefined where the delivery is an event that no step took. */
  readonly step?: string;
  /** It is a dead letter from the start. */
  readonly doomed?: Unused;
}

/** A delivery of an event that did not just arrive: it is stored once more, with it. */
export interface Copy {
  readonly event: Kept;
  /** Where the copy comes in. */
  readonly entrance: string;
  readonly instance: string | undefined;
  readonly delivery: PlannedDelivery;
}

/** A dead letter that a decision brings back. */
export interface Redriven {
  readonly delivery: number;
  readonly trigger: string;
}

/**
 * What one decision rests on and writes. Every row that was looked at is expected to be as it was seen, so that what was
 * decided by a row that has changed since is decided again.
 */
export class Ledger {
  readonly deliveries: PlannedDelivery[] = [];
  readonly copies: Copy[] = [];
  readonly redriven: Redriven[] = [];
  readonly #known: KnownRows;
  readonly #now: number;
  readonly #seen = new Map<string, { kind: Kind; id: string; version: number }>();
  readonly #changes = new Map<string, RowChange | undefined>();

  constructor(known: KnownRows, now: number) {
    this.#known = known;
    this.#now = now;
  }

  /** The row as this decision leaves it so far; one that has expired is not there. Throws NeedRow. */
  look(kind: Kind, id: string): Pick<StateRow, 'status' | 'body'> | undefined {
    const key = rowKey(kind, id);
    if (this.#changes.has(key)) return this.#changes.get(key);
    if (!this.#seen.has(key)) {
      if (!this.#known.has(key)) throw new NeedRow(kind, id);
      this.#seen.set(key, { kind, id, version: this.#known.get(key)?.version ?? 0 });
    }
    const row = this.#known.get(key);
    return row === undefined || (row.expiresAt ?? Number.POSITIVE_INFINITY) <= this.#now ? undefined : row;
  }

  /** Makes a row whose id nobody else can have. */
  create(change: RowChange): void {
    const { id } = change;
    const kind = change.kind as Kind;
    this.#seen.set(rowKey(kind, id), { kind, id, version: 0 });
    this.#changes.set(rowKey(kind, id), change);
  }

  /** Writes a row that was looked at. */
  write(change: RowChange): void {
    const key = rowKey(change.kind, change.id);
    if (!this.#seen.has(key)) throw new Error(`${key} is written without having been looked at`);
    this.#changes.set(key, change);
  }

  /** Removes a row that was looked at. */
  remove(kind: Kind, id: string): void {
    this.#changes.set(rowKey(kind, id), undefined);
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0 && this.redriven.length === 0 && this.copies.length === 0;
  }

  /** All rows with what is expected of each. */
  rows(): readonly RowWrite[] {
    return [...this.#seen].map(([key, { kind, id, version: expect }]) => {
      if (!this.#changes.has(key)) return { kind, id, expect, check: true };
      const change = this.#changes.get(key);
      return change === undefined ? { kind, id, expect, remove: true } : { ...change, expect };
    });
  }

  /** The same expectations, nothing written. */
  checks(): readonly RowWrite[] {
    return [...this.#seen.values()].map(({ kind, id, version: expect }) => ({
      kind,
      id,
      expect,
      check: true,
    }));
  }

  /** What the rows are once all this is committed. */
  after(): ReadonlyMap<string, StateRow | undefined> {
    const rows = new Map<string, StateRow | undefined>();
    for (const [key, change] of this.#changes) {
      const version = (this.#seen.get(key)?.version ?? 0) + 1;
      const createdAt = this.#known.get(key)?.createdAt ?? change?.at ?? 0;
      rows.set(key, change && { ...change, version, createdAt, changedAt: change.at });
    }
    return rows;
  }
}
