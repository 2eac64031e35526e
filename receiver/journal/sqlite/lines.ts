import type { DatabaseSync } from 'node:sqlite';

/** State of a delivery that waits behind another of its line; told as `waiting`. In the tables only. */
export const BEHIND = 4;

/**
 * Deliveries of one trigger and one line: at most one of them is in state `waiting` and can be claimed. Whatever may have
 * ended that calls `advance`, which gives its place to the next by id, unless one that is parked comes before.
 */
export interface Lines {
  /** In the caller's transaction. */
  advance(trigger: number, line: string): void;
}

/** Prepares the statement. */
export function createLines(db: DatabaseSync): Lines {
  const next = db.prepare(`UPDATE waiting SET state = 0 WHERE id =
      (SELECT id FROM waiting INDEXED BY waiting_line WHERE trigger = ?1 AND line = ?2 AND state = ${BEHIND} ORDER BY id LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM waiting INDEXED BY waiting_line WHERE trigger = ?1 AND line = ?2 AND state = 0)
    AND NOT EXISTS (SELECT 1 FROM waiting AS before INDEXED BY waiting_line
      WHERE before.trigger = ?1 AND before.line = ?2 AND before.state = 1 AND before.id < waiting.id)`);
  return {
    advance(trigger, line) {
      next.run(trigger, line);
    },
  };
}
