import type { DatabaseSync } from 'node:sqlite';
import { number } from './database.ts';

/** What is counted; each is written with the transaction that changes it, or read from the tables when they are opened. */
interface Numbers {
  /** The last ids given. */
  event: number;
  delivery: number;
  /** Deliveries that wait or are parked; dead ones. */
  backlog: number;
  dead: number;
  /** Of the backlog, those that are in a line. */
  lined: number;
  /** Events that some trigger took, and their bytes; events that none did. */
  matched: number;
  matchedBytes: number;
  unmatched: number;
  unmatchedBytes: number;
  /** Bytes of the events of dead deliveries, once for each delivery. */
  deadBytes: number;
}

/** Running numbers and counts of the journal, kept in memory and taken back when a transaction is. */
export interface Tally extends Numbers {
  /** Inside the caller's transaction: what no table tells cheaply. */
  write(): void;
  committed(): void;
  rolledBack(): void;
}

/** Reads the numbers from the tables. */
export function openTally(db: DatabaseSync): Tally {
  const update = db.prepare(
    'UPDATE sequence SET matched = ?, matched_bytes = ?, unmatched = ?, unmatched_bytes = ?, dead_bytes = ?',
  );
  const stored = (column: string): number => number(db, `SELECT ${column} FROM sequence`);
  const highest = (table: string, pruned: string): number =>
    Math.max(number(db, `SELECT max(id) FROM ${table}`), stored(pruned));
  const numbers: Numbers = {
    event: highest('event', 'event'),
    delivery: Math.max(highest('waiting', 'delivery'), highest('done', 'delivery')),
    backlog: number(db, 'SELECT count(*) FROM waiting'),
    dead: number(db, 'SELECT count(*) FROM done WHERE state = 3'),
    lined: number(db, 'SELECT count(*) FROM waiting WHERE line IS NOT NULL'),
    matched: stored('matched'),
    matchedBytes: stored('matched_bytes'),
    unmatched: stored('unmatched'),
    unmatchedBytes: stored('unmatched_bytes'),
    deadBytes: stored('dead_bytes'),
  };
  const kept: Numbers = { ...numbers };
  const tally: Tally = {
    ...numbers,
    write() {
      const { matched, matchedBytes, unmatched, unmatchedBytes, deadBytes } = tally;
      if (
        matched === kept.matched &&
        unmatched === kept.unmatched &&
        deadBytes === kept.deadBytes &&
        matchedBytes === kept.matchedBytes
      )
        return;
      update.run(matched, matchedBytes, unmatched, unmatchedBytes, deadBytes);
    },
    committed: () => copy(tally, kept),
    rolledBack: () => copy(kept, tally),
  };
  return tally;
}

function copy(from: Numbers, into: Numbers): void {
  into.event = from.event;
  into.delivery = from.delivery;
  into.backlog = from.backlog;
  into.dead = from.dead;
  into.lined = from.lined;
  into.matched = from.matched;
  into.matchedBytes = from.matchedBytes;
  into.unmatched = from.unmatched;
  into.unmatchedBytes = from.unmatchedBytes;
  into.deadBytes = from.deadBytes;
}
