import type { DatabaseSync } from 'node:sqlite';
import { number } from './database.ts';

/** Running numbers and counts of the journal, kept in memory and taken back when a transaction is. */
export interface Tally {
  /** The last ids given. */
  event: number;
  delivery: number;
  /** Deliveries that wait or are parked; dead ones. */
  backlog: number;
  dead: number;
  committed(): void;
  rolledBack(): void;
}

/** Reads the numbers from the tables. */
export function openTally(db: DatabaseSync): Tally {
  const highest = (table: string, pruned: string): number =>
    Math.max(number(db, `SELECT max(id) FROM ${table}`), number(db, `SELECT ${pruned} FROM sequence`));
  let kept = { event: 0, delivery: 0, backlog: 0, dead: 0 };
  const tally: Tally = {
    event: highest('event', 'event'),
    delivery: Math.max(highest('waiting', 'delivery'), highest('done', 'delivery')),
    backlog: number(db, 'SELECT count(*) FROM waiting'),
    dead: number(db, 'SELECT count(*) FROM done WHERE state = 3'),
    committed() {
      const { event, delivery, backlog, dead } = tally;
      kept = { event, delivery, backlog, dead };
    },
    rolledBack() {
      Object.assign(tally, kept);
    },
  };
  tally.committed();
  return tally;
}
