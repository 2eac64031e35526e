import type { DatabaseSync } from 'node:sqlite';
import type { ClaimedDelivery } from '../journal.ts';
import { BEHIND, type Lines } from './lines.ts';
import type { Names } from './names.ts';
import { attributesOf, type EventColumns, intact } from './stored-event.ts';
import type { Tally } from './tally.ts';

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

interface Parked {
  readonly id: number;
  readonly line: string | null;
}

export interface Claims {
  /** In the caller's transaction, like `release`. */
  claim(now: number, limit: number, bytes: number): ClaimedDelivery[];
  nextDue(): number | undefined;
  /** One step; fewer than `RELEASED` are the last. */
  release(trigger: string, now: number): { released: number; more: boolean };
}

/** Reads deliveries back. `damaged` hears of each whose event is not what was written: it is a dead letter, not served. */
export function createClaims(
  db: DatabaseSync,
  parts: { names: Names; tally: Tally; lines: Lines; damaged: (delivery: number) => void },
): Claims {
  const { names, tally, lines, damaged } = parts;
  const due = db.prepare(`SELECT w.id, w.event, w.trigger, w.shape, w.attempts, w.task, w.line,
      e.received, e.entrance, e.attributes, e.crc, e.head, e.data
    FROM waiting w JOIN event e ON e.id = w.event
    WHERE w.state = 0 AND w.holder = 0 AND w.due <= ? ORDER BY w.due LIMIT ?`);
  const hold = db.prepare('UPDATE waiting SET holder = 1 WHERE id = ?');
  const bury = db.prepare(`INSERT INTO done SELECT id, event, trigger, shape, 3, ?,
    'the stored event is damaged: its checksum does not fit', history, task, line FROM waiting WHERE id = ?`);
  const drop = db.prepare('DELETE FROM waiting WHERE id = ?');
  const next = db.prepare('SELECT due FROM waiting WHERE state = 0 AND holder = 0 ORDER BY due LIMIT 1');
  const parked = db.prepare(
    `SELECT id, line FROM waiting WHERE state = 1 AND trigger = ? ORDER BY id LIMIT ${RELEASED}`,
  );
  const release = db.prepare('UPDATE waiting SET state = ?, due = ?, reason = NULL WHERE id = ?');

  function rows(now: number, limit: number, bytes: number): Row[] {
    const taken: Row[] = [];
    let size = 0;
    for (const each of due.iterate(now, limit)) {
      const row = each as unknown as Row;
      size += row.data?.length ?? 0;
      // One always goes, however large it is: else it would never be delivered.
      if (taken.length > 0 && size > bytes) break;
      taken.push(row);
    }
    return taken;
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
    claim(now, limit, bytes) {
      const taken: ClaimedDelivery[] = [];
      for (const row of rows(now, limit, bytes)) {
        if (intact(row)) {
          hold.run(row.id);
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
    nextDue: () => (next.get() as { due: number } | undefined)?.due,
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
