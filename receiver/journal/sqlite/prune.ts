import type { DatabaseSync } from 'node:sqlite';
import type { HistoryLimits, Kept, Retention } from './retention.ts';
import type { Tally } from './tally.ts';

/** How many events one step looks at, and how much it drops: a step is short, and ingest goes on between two. */
const STEP = 256;
const STEP_BYTES = 4 * 1024 * 1024;
/** After this, a walk begins at the oldest event again: what was passed over may be done by now. */
const WALK_AGAIN_MS = 3_600_000;
/** The same where there is more than may be kept. */
const LOOK_AGAIN_MS = 300_000;

export interface Pruned {
  readonly removed: number;
  readonly more: boolean;
}

export interface Pruner {
  /** One step of dropping what has passed its retention, in the caller's transaction. */
  aged(now: number): Pruned;
  /** One step of dropping what is more than may be kept of its kind, oldest first. */
  surplus(now: number): Pruned;
  /** One step of dropping delivered history whatever its age, oldest first; dead letters stay. */
  pressed(): Pruned;
  /** Something became done or went: the next `pressed` looks at everything again. */
  changed(): void;
}

interface Row {
  readonly id: number;
  readonly received: number;
  readonly deliveries: number;
  readonly first: number;
  readonly bytes: number;
  readonly done: number;
  readonly dead: number;
  /** When the last of its dead letters died; null: none. */
  readonly died: number | null;
}

/** Where a walk from the oldest event on has come to. */
interface Walk {
  after: number;
}

/** Drops history. */
export function createPruner(
  db: DatabaseSync,
  { tally, retention, limits }: { tally: Tally; retention: Retention; limits: HistoryLimits },
): Pruner {
  const select = db.prepare(`SELECT e.id, e.received, e.first, e.deliveries,
      length(e.head) + coalesce(length(e.data), 0) AS bytes,
      count(d.id) AS done, count(iif(d.state = 3, 1, NULL)) AS dead, max(iif(d.state = 3, d.at, NULL)) AS died
    FROM event e LEFT JOIN done d ON d.id >= e.first AND d.id < e.first + e.deliveries
    WHERE e.id > ? GROUP BY e.id ORDER BY e.id LIMIT ${STEP}`);
  const dropEvents = db.prepare('DELETE FROM event WHERE id >= ? AND id <= ?');
  const dropDone = db.prepare('DELETE FROM done WHERE id >= ? AND id < ?');
  const remember = db.prepare('UPDATE sequence SET event = ?, delivery = ?');
  const age: Walk & { began: number } = { after: 0, began: 0 };
  const excess: Walk & { began: number; ended: boolean } = { after: 0, began: 0, ended: false };
  const pressure: Walk = { after: 0 };

  function forget({ deliveries, bytes, dead }: Row): void {
    if (deliveries === 0) {
      tally.unmatched--;
      tally.unmatchedBytes -= bytes;
    } else {
      tally.matched--;
      tally.matchedBytes -= bytes;
    }
    tally.dead -= dead;
    tally.deadBytes -= dead * bytes;
  }

  /** Drops events that follow each other, and their deliveries. */
  function drop(rows: readonly Row[]): void {
    const first = rows[0];
    const last = rows.at(-1);
    if (first === undefined || last === undefined) return;
    dropEvents.run(first.id, last.id);
    // Undone deliveries lie in another table, and every event of the range is done: the range holds only theirs.
    dropDone.run(first.first, last.first + last.deliveries);
  }

  /** Drops what is done and `expired`, up to the first that is `young`. */
  function walk(at: Walk, expired: (row: Row) => boolean, young: (row: Row) => boolean): Pruned {
    const rows = select.all(at.after) as unknown as Row[];
    let removed = 0;
    let bytes = 0;
    let from = 0;
    let to = 0;
    let stopped = false;
    for (const row of rows) {
      stopped = young(row);
      if (stopped || bytes > STEP_BYTES) break;
      to++;
      if (row.done === row.deliveries && expired(row)) {
        forget(row);
        removed++;
        bytes += row.bytes;
        continue;
      }
      drop(rows.slice(from, to - 1));
      from = to;
    }
    drop(rows.slice(from, to));
    at.after = rows[to - 1]?.id ?? at.after;
    if (removed > 0) remember.run(tally.event, tally.delivery);
    return { removed, more: !stopped && (to < rows.length || rows.length === STEP) };
  }

  /** How much more there is than may be kept; what is undone counts as delivered, since it will be. */
  function over(kind: Kept): boolean {
    const { events = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = limits[kind] ?? {};
    const [count, size] = {
      delivered: [tally.matched - tally.dead, tally.matchedBytes - tally.deadBytes] as const,
      unmatched: [tally.unmatched, tally.unmatchedBytes] as const,
      dead: [tally.dead, tally.deadBytes] as const,
    }[kind];
    return count > events || size > bytes;
  }

  const anyOver = (): boolean => over('delivered') || over('unmatched') || over('dead');

  return {
    aged(now) {
      if (now - age.began > WALK_AGAIN_MS || now < age.began) Object.assign(age, { after: 0, began: now });
      const shortest = Math.min(retention.delivered, retention.unmatched);
      // An event from a clock that ran ahead must not hide the older ones behind it.
      const young = ({ received }: Row): boolean => received <= now && received + shortest > now;
      return walk(age, (row) => expiry(row, retention) <= now, young);
    },
    surplus(now) {
      if (!anyOver()) return { removed: 0, more: false };
      // What was passed over may be done by now.
      if (now - excess.began > LOOK_AGAIN_MS || now < excess.began)
        Object.assign(excess, { after: 0, began: now, ended: false });
      if (excess.ended) return { removed: 0, more: false };
      const step = walk(
        excess,
        (row) => over(kindOf(row)),
        () => !anyOver(),
      );
      excess.ended = !step.more && anyOver();
      return step;
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

function kindOf({ deliveries, died }: Row): Kept {
  if (died !== null) return 'dead';
  return deliveries === 0 ? 'unmatched' : 'delivered';
}

function expiry(row: Row, retention: Retention): number {
  const { received, died } = row;
  if (died !== null) return Math.max(died + retention.dead, received + retention.delivered);
  return received + retention[kindOf(row)];
}
