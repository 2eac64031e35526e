import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { BatchReader } from './batch-reader.ts';
import type { IdIndex } from './id-index.ts';
import { BEHIND, type Lines } from './lines.ts';
import type { Names } from './names.ts';
import type { ReplyWriter } from './reply.ts';
import { createRowInserter } from './row-inserter.ts';
import type { SeenIndex } from './seen-index.ts';
import type { Settler } from './settle.ts';
import type { Shapes } from './shapes.ts';
import type { Tally } from './tally.ts';
import { DELIVERY_FLAG, FINGERPRINT_BYTES, KEY_BYTES, STATE, UNIT_FLAG } from './wire.ts';
import type { RowWriter } from './write-rows.ts';

export interface UnitParts {
  readonly names: Names;
  readonly seen: SeenIndex;
  readonly shapes: Shapes;
  readonly tally: Tally;
  readonly lines: Lines;
  readonly rows: RowWriter;
  readonly ids: IdIndex;
  readonly settler: Settler;
  readonly reply: ReplyWriter;
}

/** Where the parts of a unit stand; 0: it has none of the kind. */
interface Parts {
  flags: number;
  end: number;
  rows: number;
  /** Of the event. */
  received: number;
  entrance: number;
  key: number;
  expires: number;
  attributes: number;
  record: number;
  data: number;
  start: number;
  answer: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export interface UnitWriter {
  /** Executes one unit, read from where the reader stands, and writes its outcome. */
  execute(reader: BatchReader): void;
  /** Inserts the rows that were gathered, inside the caller's transaction. */
  write(): void;
  rolledBack(): void;
}

/** Makes the writer of units. */
export function createUnitWriter(db: DatabaseSync, parts: UnitParts): UnitWriter {
  const { names, seen, shapes, tally, lines, rows, ids, settler, reply } = parts;
  const intoEvent = (values: string) => `INSERT INTO event ${values}`;
  const intoWaiting = (values: string) => `INSERT INTO waiting ${values}`;
  const events = createRowInserter(db, '(?, ?, ?, ?, ?, ?, ?, ?, ?)', intoEvent);
  // The common cases by themselves: each value that is bound costs as much as the smallest column does.
  const held = createRowInserter(db, '(?, ?, ?, ?, 0, ?, 1, 0, NULL, NULL, NULL, NULL)', intoWaiting);
  const parked = createRowInserter(db, '(?, ?, ?, ?, 1, ?, 0, 0, ?, NULL, NULL, NULL)', intoWaiting);
  const insertDelivery = db.prepare('INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, NULL, ?, ?)');
  // One for all units: nothing is allocated per unit.
  const unit: Parts = {
    flags: 0,
    end: 0,
    rows: 0,
    received: 0,
    entrance: 0,
    key: 0,
    expires: 0,
    attributes: 0,
    record: 0,
    data: 0,
    start: 0,
    answer: NOTHING,
  };

  function has(flag: number): boolean {
    return (unit.flags & flag) !== 0;
  }

  /** Reads up to the deliveries of the event, or to the settlements. */
  function read(reader: BatchReader): void {
    const length = reader.u32();
    unit.end = reader.at + length;
    unit.flags = reader.u8();
    if (has(UNIT_FLAG.rows)) {
      const size = reader.u32();
      unit.rows = reader.at;
      reader.at += size;
    }
    if (!has(UNIT_FLAG.event)) return;
    unit.received = reader.f64();
    unit.entrance = reader.u32();
    unit.key = reader.at;
    if (has(UNIT_FLAG.unseen)) {
      reader.at += KEY_BYTES + FINGERPRINT_BYTES;
      unit.expires = reader.f64();
    }
    const answer = reader.u32();
    unit.attributes = reader.u32();
    unit.record = reader.u32();
    unit.data = reader.u32();
    unit.answer = reader.slice(answer);
    unit.start = reader.at;
    reader.at += unit.attributes + unit.record + unit.data;
  }

  /** Whether the unit may not be written; the outcome is told then. */
  function refused(reader: BatchReader): boolean {
    if (has(UNIT_FLAG.unseen)) {
      const earlier = seen.find(reader.bytes, unit.key, unit.received);
      if (earlier !== undefined) {
        reply.seen(differs(reader.bytes, unit.key + KEY_BYTES, earlier.fingerprint), earlier.answer);
        return true;
      }
    }
    if (!has(UNIT_FLAG.rows)) return false;
    const at = reader.at;
    reader.at = unit.rows;
    const conflict = rows.judge(reader);
    reader.at = at;
    if (conflict >= 0) reply.conflict(conflict);
    return conflict >= 0;
  }

  function delivery(reader: BatchReader, event: number): void {
    const trigger = names.id(reader.u32());
    const shape = names.id(reader.u32());
    shapes.use(shape);
    const due = reader.f64();
    const flags = reader.u8();
    const why = reader.u32();
    if (flags === DELIVERY_FLAG.held && why === 0) {
      held.add(++tally.delivery, event, trigger, shape, due);
      return;
    }
    if (flags === 0 && why !== 0) {
      parked.add(++tally.delivery, event, trigger, shape, due, names.told(why - 1));
      return;
    }
    const task = (flags & DELIVERY_FLAG.task) === 0 ? null : reader.text(reader.u32());
    const line = (flags & DELIVERY_FLAG.line) === 0 ? null : reader.text(reader.u32());
    const holder = (flags & DELIVERY_FLAG.held) === 0 ? 0 : 1;
    const free = line === null ? STATE.waiting : BEHIND;
    const state = why === 0 ? free : STATE.parked;
    const reason = why === 0 ? null : names.told(why - 1);
    // At once, because whose turn it is is read from the table.
    insertDelivery.run(++tally.delivery, event, trigger, shape, state, due, holder, reason, task, line);
    if (line === null) return;
    tally.lined++;
    lines.advance(trigger, line);
  }

  function writeEvent(reader: BatchReader): void {
    const { received, key, expires, attributes, record, data, start, answer } = unit;
    if (has(UNIT_FLAG.occupy)) seen.add(reader.bytes, key, { expires, now: received, answer });
    const event = ++tally.event;
    ids.add(event, reader.bytes, start, attributes);
    const first = tally.delivery + 1;
    const count = reader.u32();
    for (let i = 0; i < count; i++) delivery(reader, event);
    tally.backlog += count;
    const split = start + attributes + record;
    const bytes = attributes + record + data;
    if (count === 0) {
      tally.unmatched++;
      tally.unmatchedBytes += bytes;
    } else {
      tally.matched++;
      tally.matchedBytes += bytes;
    }
    events.add(
      event,
      received,
      names.id(unit.entrance),
      first,
      count,
      attributes,
      crc32(reader.bytes.subarray(start, split + data)),
      reader.bytes.subarray(start, split),
      has(UNIT_FLAG.data) ? reader.bytes.subarray(split, split + data) : null,
    );
    reply.committed(event, first, count);
  }

  function settleAll(reader: BatchReader): void {
    const count = reader.u32();
    for (let i = 0; i < count; i++) {
      const length = reader.u32();
      settler.execute(reader, reader.at + length);
    }
  }

  const inserters = [events, held, parked];
  return {
    execute(reader) {
      read(reader);
      if (!refused(reader)) {
        if (has(UNIT_FLAG.rows)) rows.write();
        if (has(UNIT_FLAG.event)) writeEvent(reader);
        else reply.committed(0, 0, 0);
        if (has(UNIT_FLAG.settlements)) settleAll(reader);
      }
      reader.at = unit.end;
    },
    write() {
      for (const each of inserters) each.write();
    },
    rolledBack() {
      for (const each of inserters) each.rolledBack();
    },
  };
}

function differs(bytes: Uint8Array, at: number, fingerprint: Uint8Array): boolean {
  for (let i = 0; i < FINGERPRINT_BYTES; i++) if (bytes[at + i] !== fingerprint[i]) return true;
  return false;
}
