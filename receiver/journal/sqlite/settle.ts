import type { DatabaseSync } from 'node:sqlite';
import { appendAttempt } from './attempt.ts';
import type { BatchReader } from './batch-reader.ts';
import { BEHIND, type Lines } from './lines.ts';
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
  readonly line: string | null;
}

/**
 * Makes the function that executes one settlement, read from where the reader stands up to `end`. One of no known delivery
 * is void.
 */
export function createSettler(
  db: DatabaseSync,
  { tally, shapes, lines }: { tally: Tally; shapes: Shapes; lines: Lines },
) {
  // The bytes are put one behind the other inside the database: the common case reads nothing back.
  const finish = db.prepare(`INSERT INTO done SELECT id, event, trigger, shape, ?, ?, ?,
    iif(history IS NULL, ?4, CAST(history || ?4 AS BLOB)), task, line FROM waiting WHERE id = ?5`);
  const drop = db.prepare('DELETE FROM waiting WHERE id = ? RETURNING trigger, line');
  const history = db.prepare('SELECT history FROM waiting WHERE id = ?');
  // One that is given out of its line keeps its place there; another goes behind.
  const wait = db.prepare(`UPDATE waiting SET state = iif(line IS NULL OR state = 0, 0, ${BEHIND}),
    holder = 0, due = ?, attempts = attempts + ?, history = ?, reason = NULL WHERE id = ? RETURNING trigger, line`);
  const park = db.prepare(
    'UPDATE waiting SET state = 1, holder = 0, reason = ? WHERE id = ? RETURNING trigger, line',
  );
  const revive = db.prepare(`INSERT INTO waiting
    SELECT id, event, trigger, shape, iif(line IS NULL, 0, ${BEHIND}), ?, 0, 0, NULL, history, task, line
    FROM done WHERE id = ? AND state = 3 RETURNING trigger, line, shape`);
  const forget = db.prepare('DELETE FROM done WHERE id = ?');

  function advance(place: Place | undefined): void {
    if (place !== undefined && place.line !== null) lines.advance(place.trigger, place.line);
  }

  function end({ state, delivery, time, reason, attempt }: Told): void {
    if (finish.run(state, time, reason, attempt, delivery).changes === 0) return;
    advance(drop.get(delivery) as Place | undefined);
    tally.backlog--;
    if (state === STATE.dead) tally.dead++;
  }

  function delay({ delivery, time, attempt }: Told): void {
    const row = history.get(delivery) as { history: Uint8Array | null } | undefined;
    if (row === undefined) {
      redrive(delivery, time);
      return;
    }
    const made = attempt.length === 0 ? 0 : 1;
    const whole = made === 0 ? row.history : appendAttempt(row.history, attempt);
    advance(wait.get(time, made, whole, delivery) as Place | undefined);
  }

  /** A dead delivery waits again; its attempts are counted anew, its history stays. */
  function redrive(delivery: number, due: number): void {
    const revived = revive.get(due, delivery) as (Place & { shape: number }) | undefined;
    if (revived === undefined) return;
    shapes.use(revived.shape);
    forget.run(delivery);
    tally.backlog++;
    tally.dead--;
    advance(revived);
  }

  const byState: Readonly<Record<number, (told: Told) => void>> = {
    [STATE.waiting]: delay,
    [STATE.parked]: ({ reason, delivery }) => advance(park.get(reason, delivery) as Place | undefined),
    [STATE.delivered]: end,
    [STATE.dead]: end,
  };

  return (reader: BatchReader, end: number): void => {
    const state = reader.u8();
    const delivery = reader.f64();
    const time = reader.f64();
    const reason = reader.text(reader.u32());
    const attempt = reader.slice(end - reader.at);
    byState[state]?.({ state, delivery, time, reason: reason === '' ? null : reason, attempt });
  };
}
