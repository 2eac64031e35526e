import type { DatabaseSync } from 'node:sqlite';
import type { ClaimedDelivery } from '../journal.ts';
import { BEHIND, type Lines } from './lines.ts';
import type { Names } from './names.ts';
import { attributesOf, type EventColumns, intact } from './stored-event.ts';
import type { Tally } from './tally.ts';
import { createTurns } from './turns.ts';

/** How many parked deliveries one step releases. */
const RELEASED = 1000;

type Row = EventColumns & {
  id: number;
  event: number;
  trigger: number;
  shape: number;
  attempts: number;
  received: number;
  entrance: number;
  task: string | null;
  line: string | null;
};

/** A claim in the making. */
interface Batch {
  readonly rows: Row[];
  /** How much more data it takes. */
  bytes: number;
  full: boolean;
}

interface Parked {
  readonly id: number;
  readonly line: string | null;
}

/** What one claim takes; `except`: triggers that are left out. */
export interface ClaimBounds {
  readonly now: number;
  readonly limit: number;
  readonly bytes: number;
  readonly except: readonly string[];
}

export interface Claims {
  /** In the caller's transaction, like `release`. */
  claim(bounds: ClaimBounds): ClaimedDelivery[];
  nextDue(except: readonly string[]): number | undefined;
  /** One step; fewer than `RELEASED` are the last. */
  release(trigger: string, now: number): { released: number; more: boolean };
}

/** Reads deliveries back. `damaged` hears of each whose event is not what was written: it is a dead letter, not served. */
export function createClaims(
  db: DatabaseSync,
  parts: { names: Names; tally: Tally; lines: Lines; damaged: (delivery: number) => void },
): Claims {
  const { names, tally, lines, damaged } = parts;
  const turns = createTurns(db);
  const columns = `w.id, w.event, w.trigger, w.shape, w.attempts, w.task, w.line,
    e.received, e.entrance, e.attributes, e.crc, e.head, e.data`;
  const due = db.prepare(`SELECT ${columns} FROM waiting w JOIN event e ON e.id = w.event
    WHERE w.state = 0 AND w.holder = 0 AND w.due <= ? ORDER BY w.due LIMIT ?`);
  const dueOf =
    db.prepare(`SELECT ${columns} FROM waiting w INDEXED BY waiting_turn JOIN event e ON e.id = w.event
    WHERE w.state = 0 AND w.holder = 0 AND w.trigger = ? AND w.due <= ? ORDER BY w.due LIMIT ?`);
  const countDue = db.prepare(
    'SELECT count(*) AS count FROM (SELECT 1 FROM waiting WHERE state = 0 AND holder = 0 AND due <= ? LIMIT ?)',
  );
  const hold = db.prepare('UPDATE waiting SET holder = 1 WHERE id = ?');
  const bury = db.prepare(`INSERT INTO done SELECT id, event, trigger, shape, 3, ?,
    'the stored event is damaged: its checksum does not fit', history, task, line FROM waiting WHERE id = ?`);
  const drop = db.prepare('DELETE FROM waiting WHERE id = ?');
  const parked = db.prepare(
    `SELECT id, line FROM waiting WHERE state = 1 AND trigger = ? ORDER BY id LIMIT ${RELEASED}`,
  );
  const release = db.prepare('UPDATE waiting SET state = ?, due = ?, reason = NULL WHERE id = ?');

  function numbers(triggers: readonly string[]): ReadonlySet<number> {
    return new Set(triggers.map((trigger) => names.idOf(trigger)));
  }

  /** Takes rows into the batch until it is full; how many. */
  function fill(batch: Batch, rows: Iterable<unknown>, except?: ReadonlySet<number>): number {
    const before = batch.rows.length;
    for (const each of rows) {
      const row = each as Row;
      if (except?.has(row.trigger) === true) continue;
      const size = row.data?.length ?? 0;
      // One always goes, however large it is: else it would never be delivered.
      batch.full = batch.rows.length > 0 && size > batch.bytes;
      if (batch.full) break;
      batch.bytes -= size;
      batch.rows.push(row);
    }
    const taken = batch.rows.slice(before);
    for (const { id } of taken) hold.run(id);
    return taken.length;
  }

  /** Each trigger gets an equal share; what some leave of theirs is shared by the others. */
  function inTurns(batch: Batch, now: number, limit: number, except: ReadonlySet<number>): void {
    let left = limit;
    for (let triggers = turns.due(now, except); left > 0 && triggers.length > 0 && !batch.full; ) {
      const share = Math.max(1, Math.floor(left / triggers.length));
      const more: number[] = [];
      for (const trigger of triggers) {
        if (left < share || batch.full) break;
        turns.had(trigger);
        const taken = fill(batch, dueOf.iterate(trigger, now, share));
        left -= taken;
        if (taken === share) more.push(trigger);
      }
      triggers = more;
    }
  }

  function rows({ now, limit, bytes, except }: ClaimBounds): readonly Row[] {
    const batch: Batch = { rows: [], bytes, full: false };
    const out = numbers(except);
    const { count } = countDue.get(now, limit + 1) as { count: number };
    if (count <= limit) fill(batch, due.iterate(now, limit), out);
    else inTurns(batch, now, limit, out);
    return batch.rows;
  }

  function claimed(row: Row): ClaimedDelivery {
    const { id, event, attempts, task, line } = row;
    return {
      id,
      event,
      attempts,
      trigger: names.text(row.trigger),
      shape: names.text(row.shape),
      receivedAt: row.received,
      entrance: names.text(row.entrance),
      attributes: attributesOf(row),
      data: row.data ?? undefined,
      ...(task === null ? {} : { task }),
      ...(line === null ? {} : { line }),
    };
  }

  return {
    claim(bounds) {
      const { now } = bounds;
      const taken: ClaimedDelivery[] = [];
      for (const row of rows(bounds)) {
        if (intact(row)) {
          taken.push(claimed(row));
          continue;
        }
        bury.run(now, row.id);
        drop.run(row.id);
        if (row.line !== null) {
          tally.lined--;
          lines.advance(row.trigger, row.line);
        }
        tally.backlog--;
        tally.dead++;
        tally.deadBytes += row.head.length + (row.data?.length ?? 0);
        damaged(row.id);
      }
      return taken;
    },
    nextDue: (except) => turns.earliest(numbers(except)),
    release(trigger, now) {
      const number = names.idOf(trigger);
      const rows = parked.all(number) as unknown as Parked[];
      for (const { id, line } of rows) {
        release.run(line === null ? 0 : BEHIND, now, id);
        if (line !== null) lines.advance(number, line);
      }
      return { released: rows.length, more: rows.length === RELEASED };
    },
  };
}
