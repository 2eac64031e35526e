import type { DatabaseSync } from 'node:sqlite';
import type { Tally } from './tally.ts';

/** How many events one step looks at. */
const STEP = 256;
/** After this, a walk begins at the oldest event again: what was passed over may be done by now. */
const WALK_AGAIN_MS = 3_600_000;

/** How long events are kept, in milliseconds from acceptance; `dead`: from when their delivery became a dead letter. */
export interface Retention {
  /** All of whose deliveries were made. */
  readonly delivered: number;
  /** That no trigger took. */
  readonly unmatched: number;
  readonly dead: number;
}

export interface Pruner {
  /** One step of dropping what has passed its retention, in the caller's transaction. */
  aged(now: number): { removed: number; more: boolean };
  /** One step of dropping delivered history whatever its age, oldest first; dead letters stay. */
  pressed(): { removed: number; more: boolean };
  /** Something became done or went: the next `pressed` looks at everything again. */
  changed(): void;
}

interface Row {
  readonly id: number;
  readonly received: number;
  readonly deliveries: number;
  readonly first: number;
  readonly done: number;
  /** When the last of its dead letters died; null: none. */
  readonly died: number | null;
}

/** Where a walk from the oldest event on has come to. */
interface Walk {
  after: number;
}

/** Drops history. */
export function createPruner(db: DatabaseSync, tally: Tally, retention: Retention): Pruner {
  const select = db.prepare(`SELECT e.id, e.received, e.first, e.deliveries,
      (SELECT count(*) FROM done d WHERE d.id >= e.first AND d.id < e.first + e.deliveries) AS done,
      (SELECT max(at) FROM done d WHERE d.id >= e.first AND d.id < e.first + e.deliveries AND d.state = 3) AS died
    FROM event e WHERE e.id > ? ORDER BY e.id LIMIT ${STEP}`);
  const countDead = db.prepare('SELECT count(*) AS dead FROM done WHERE id >= ? AND id < ? AND state = 3');
  const dropEvents = db.prepare('DELETE FROM event WHERE id >= ? AND id <= ?');
  const dropDone = db.prepare('DELETE FROM done WHERE id >= ? AND id < ?');
  const remember = db.prepare('UPDATE sequence SET event = ?, delivery = ?');
  const age: Walk & { began: number } = { after: 0, began: 0 };
  const pressure: Walk = { after: 0 };

  /** Drops events that follow each other, `rows` from `from` to before `to`, and their deliveries. */
  function drop(rows: Row[], from: number, to: number): void {
    const first = rows[from];
    const last = rows[to - 1];
    if (first === undefined || last === undefined) return;
    dropEvents.run(first.id, last.id);
    // Undone deliveries lie in another table, and every event of the range is done: the range holds only theirs.
    const end = last.first + last.deliveries;
    if (rows.slice(from, to).some((row) => row.died !== null)) {
      tally.dead -= (countDead.get(first.first, end) as { dead: number }).dead;
    }
    dropDone.run(first.first, end);
  }

  function walk(
    at: Walk,
    expired: (row: Row) => boolean,
    young: (row: Row) => boolean,
  ): { removed: number; more: boolean } {
    const rows = select.all(at.after) as unknown as Row[];
    const stop = rows.findIndex(young);
    const seen = stop < 0 ? rows : rows.slice(0, stop);
    let removed = 0;
    let from = 0;
    for (let i = 0; i <= seen.length; i++) {
      const row = seen[i];
      if (row !== undefined && row.done === row.deliveries && expired(row)) continue;
      removed += i - from;
      if (i > from) drop(seen, from, i);
      from = i + 1;
    }
    at.after = seen.at(-1)?.id ?? at.after;
    if (removed > 0) remember.run(tally.event, tally.delivery);
    return { removed, more: stop < 0 && rows.length === STEP };
  }

  return {
    aged(now) {
      if (now - age.began > WALK_AGAIN_MS || now < age.began) Object.assign(age, { after: 0, began: now });
      const shortest = Math.min(retention.delivered, retention.unmatched);
      // An event from a clock that ran ahead must not hide the older ones behind it.
      const young = ({ received }: Row): boolean => received <= now && received + shortest > now;
      return walk(age, (row) => expiry(row, retention) <= now, young);
    },
    pressed() {
      return walk(
        pressure,
        (row) => row.died === null,
        () => false,
      );
    },
    changed() {
      pressure.after = 0;
    },
  };
}

function expiry({ received, deliveries, died }: Row, retention: Retention): number {
  if (died !== null) return Math.max(died + retention.dead, received + retention.delivered);
  return received + (deliveries === 0 ? retention.unmatched : retention.delivered);
}
