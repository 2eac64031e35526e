import type { DatabaseSync } from 'node:sqlite';
import { appendAttempt } from './attempt.ts';
import type { BatchReader } from './batch-reader.ts';
import { BEHIND, type Lines } from './lines.ts';
import { createRowInserter } from './row-inserter.ts';
import type { Shapes } from './shapes.ts';
import type { Tally } from './tally.ts';
import { STATE } from './wire.ts';

/** What a settlement says, as it was read. */
interface Told {
  readonly state: number;
  readonly delivery: number;
  /** Due, or when it ended. */
  readonly time: number;
  readonly reason: string | null;
  readonly attempt: Uint8Array;
}

interface Place {
  readonly trigger: number;
  readonly line: string;
}

interface Revived {
  readonly trigger: number;
  readonly line: string | null;
  readonly shape: number;
}

/** Executes settlements. One of no known delivery is void. */
export interface Settler {
  /** Executes the settlement that the reader stands at, up to `end`; what it says is in the tables after `write` only. */
  execute(reader: BatchReader, end: number): void;
  /** Inside the caller's transaction, before it ends. */
  write(): void;
  rolledBack(): void;
}

/** Makes the settler. */
export function createSettler(
  db: DatabaseSync,
  { tally, shapes, lines }: { tally: Tally; shapes: Shapes; lines: Lines },
): Settler {
  // The bytes are put one behind the other inside the database: the common case reads nothing back.
  const finish = db.prepare(`INSERT INTO done SELECT id, event, trigger, shape, ?, ?, ?,
    iif(history IS NULL, ?4, CAST(history || ?4 AS BLOB)), task, line FROM waiting WHERE id = ?5`);
  // Delivered and in no line, which nearly all are: many at once. One that is told twice is done once.
  const finishMany = createRowInserter(
    db,
    '(?, ?, ?)',
    (values) => `INSERT OR IGNORE INTO done SELECT id, event, trigger, shape, 2, column2, NULL,
      iif(history IS NULL, column3, CAST(history || column3 AS BLOB)), task, line
      FROM (${values}) CROSS JOIN waiting ON id = column1`,
  );
  const drop = db.prepare('DELETE FROM waiting WHERE id BETWEEN ? AND ?');
  let finished: number[] = [];
  const place = db.prepare('SELECT trigger, line FROM waiting WHERE id = ? AND line IS NOT NULL');
  const size = db.prepare(`SELECT length(head) + coalesce(length(data), 0) AS bytes
    FROM event WHERE id = (SELECT event FROM done WHERE id = ?)`);
  const history = db.prepare('SELECT history FROM waiting WHERE id = ?');
  // One that is given out of its line keeps its place there; another goes behind.
  const wait = db.prepare(`UPDATE waiting SET state = iif(line IS NULL OR state = 0, 0, ${BEHIND}),
    holder = 0, due = ?, attempts = attempts + ?, history = ?, reason = NULL WHERE id = ?`);
  const park = db.prepare('UPDATE waiting SET state = 1, holder = 0, reason = ? WHERE id = ?');
  const revive = db.prepare(`INSERT INTO waiting
    SELECT id, event, trigger, shape, iif(line IS NULL, 0, ${BEHIND}), ?, 0, 0, NULL, history, task, line
    FROM done WHERE id = ? AND state = 3 RETURNING trigger, line, shape`);
  const forget = db.prepare('DELETE FROM done WHERE id = ?');

  /** Where an undone delivery is in line. Asked only where there is a line at all: it costs more than all else here. */
  function placeOf(delivery: number): Place | undefined {
    return tally.lined === 0 ? undefined : (place.get(delivery) as Place | undefined);
  }

  function advance(from: Place | undefined): void {
    if (from !== undefined) lines.advance(from.trigger, from.line);
  }

  function countDead(delivery: number, by: 1 | -1): void {
    const { bytes } = (size.get(delivery) ?? { bytes: 0 }) as { bytes: number };
    tally.dead += by;
    tally.deadBytes += by * bytes;
  }

  function deliver(told: Told): void {
    if (tally.lined > 0) {
      end(told);
      return;
    }
    finishMany.add(told.delivery, told.time, told.attempt);
    finished.push(told.delivery);
  }

  /** Ends those that are gathered. Ids that follow one another go together. */
  function write(): void {
    if (finished.length === 0) return;
    finishMany.write();
    finished.sort((a, b) => a - b);
    let [first = 0] = finished;
    for (const [i, last] of finished.entries()) {
      const next = finished[i + 1] ?? Number.POSITIVE_INFINITY;
      if (next <= last + 1) continue;
      tally.backlog -= Number(drop.run(first, last).changes);
      first = next;
    }
    finished = [];
  }

  function end({ state, delivery, time, reason, attempt }: Told): void {
    if (finish.run(state, time, reason, attempt, delivery).changes === 0) return;
    const inLine = placeOf(delivery);
    drop.run(delivery, delivery);
    tally.backlog--;
    if (inLine !== undefined) tally.lined--;
    advance(inLine);
    if (state === STATE.dead) countDead(delivery, 1);
  }

  function delay({ delivery, time, attempt }: Told): void {
    const row = history.get(delivery) as { history: Uint8Array | null } | undefined;
    if (row === undefined) {
      redrive(delivery, time);
      return;
    }
    const made = attempt.length === 0 ? 0 : 1;
    const whole = made === 0 ? row.history : appendAttempt(row.history, attempt);
    wait.run(time, made, whole, delivery);
    advance(placeOf(delivery));
  }

  /** A dead delivery waits again; its attempts are counted anew, its history stays. */
  function redrive(delivery: number, due: number): void {
    const revived = revive.get(due, delivery) as Revived | undefined;
    if (revived === undefined) return;
    shapes.use(revived.shape);
    countDead(delivery, -1);
    forget.run(delivery);
    tally.backlog++;
    const { trigger, line } = revived;
    if (line === null) return;
    tally.lined++;
    lines.advance(trigger, line);
  }

  function parkOne({ delivery, reason }: Told): void {
    park.run(reason, delivery);
    advance(placeOf(delivery));
  }

  const byState: Readonly<Record<number, (told: Told) => void>> = {
    [STATE.waiting]: delay,
    [STATE.parked]: parkOne,
    [STATE.delivered]: deliver,
    [STATE.dead]: end,
  };

  return {
    execute(reader, end) {
      const state = reader.u8();
      const delivery = reader.f64();
      const time = reader.f64();
      const reason = reader.text(reader.u32());
      const attempt = reader.slice(end - reader.at);
      // What is told of one delivery holds in the order in which it was told.
      if (state !== STATE.delivered) write();
      byState[state]?.({ state, delivery, time, reason: reason === '' ? null : reason, attempt });
    },
    write,
    rolledBack() {
      finishMany.rolledBack();
      finished = [];
    },
  };
}
