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
  /** Of the backlog, those that are in a line. */
  lined: number;
  committed(): void;
  rolledBack(): void;
}

/** Reads the numbers from the tables. */
export function openTally(db: DatabaseSync): Tally {
  const highest = (table: string, pruned: string): number =>
    Math.max(number(db, `SELECT max(id) FROM ${table}`), number(db, `SELECT ${pruned} FROM sequence`));
  let kept = { event: 0, delivery: 0, backlog: 0, dead: 0, lined: 0 };
  const tally: Tally = {
    event: highest('event', 'event'),
    delivery: Math.max(highest('waiting', 'delivery'), highest('done', 'delivery')),
    backlog: number(db, 'SELECT count(*) FROM waiting'),
    dead: number(db, 'SELECT count(*) FROM done WHERE state = 3'),
    lined: number(db, 'SELECT count(*) FROM waiting WHERE line IS NOT NULL'),
    committed() {
      const { event, delivery, backlog, dead, lined } = tally;
      kept = { event, delivery, backlog, dead, lined };
    },
    rolledBack() {
      Object.assign(tally, kept);
    },
  };
  tally.committed();
  return tally;
}
