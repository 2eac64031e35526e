/**
 * When rows are due. The entry of a row in the index by `due` lies on a page of its own, a cold one among a million rows. So
 * it stays where it is when the row is to be due later, or not at all: `later` says so then, and the entry is moved when its
 * time is near, together with its neighbours. A row is never due before its entry, so that none is missed.
 */
import type { DatabaseSync } from 'node:sqlite';

/** As `later`: the row is not due at any time. */
const NEVER = 0;
/** Entries that one step looks at: some more than are asked for at once. */
const STEP = 64;
/** An entry's time is near so long before it: who waits for due rows is then not called for each entry that was left behind. */
const AHEAD_MS = 10_000;

/** When the row is due, as a column of a statement over `row`. */
export const DUE = `CASE WHEN later IS NULL THEN due WHEN later <> ${NEVER} THEN later END`;

/** Where a row stands in the index, and when it is due instead, if that is later. */
export interface DuePlace {
  readonly due: number | null;
  readonly later: number | null;
}

/** The place of a row that is written at `at` and is to be due at `due`. */
export function placeDue(before: DuePlace, due: number | null, at: number): DuePlace {
  const kept = before.due !== null && before.due > at + AHEAD_MS && isAfter(due, before.due);
  return kept ? { due: before.due, later: due ?? NEVER } : { due, later: null };
}

function isAfter(due: number | null, entry: number): boolean {
  return due === null || (due > entry && due > NEVER);
}

interface Entry {
  readonly id: number;
  readonly later: number | null;
}

/** Moves entries whose time is near and whose rows are due later. */
export interface DueMover {
  /** Those among the first of a kind, and whether there may be more behind them. */
  near(kind: number, now: number): { readonly entries: readonly Entry[]; readonly more: boolean };
  /** Inside the caller's transaction. */
  move(entries: readonly Entry[]): void;
}

/** Prepares the statements. */
export function createDueMover(db: DatabaseSync): DueMover {
  const first = db.prepare(
    `SELECT id, later FROM row WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ${STEP}`,
  );
  const move = db.prepare(`UPDATE row SET due = ${DUE}, later = NULL WHERE id = ?`);
  return {
    near(kind, now) {
      const found = first.all(kind, now + AHEAD_MS) as unknown as Entry[];
      return { entries: found.filter(({ later }) => later !== null), more: found.length === STEP };
    },
    move(entries) {
      for (const { id } of entries) move.run(id);
    },
  };
}
