/**
 * What crosses between the receiver's thread and the journal's: one packed buffer each way, little-endian. Every
 * operation of a batch begins with its kind and its length, so that a reader can step over it.
 *
 * Names (entrances, triggers, Shape hashes) come as a number. The texts of those that are new stand behind the last
 * operation, in the order of their numbers, so that they are told even where an operation is stepped over. A text is its
 * length in bytes (u32) and its UTF-8.
 */
import type { NewDelivery, RowWrite, Settlement, StoredEvent, Unit } from '../journal.ts';
import { attemptSize, writeAttempt } from './attempt.ts';

export const OPERATION = { call: 1, settle: 2, shape: 3 } as const;
/** Kind (u8) and length of what follows (u32). */
export const OPERATION_HEAD = 5;
/** A unit begins with its length (u32) and its flags (u8); its parts follow in this order, each only where it has it. */
export const UNIT_FLAG = { rows: 1, event: 2, unseen: 4, occupy: 8, data: 16, settlements: 32 } as const;
export const DELIVERY_FLAG = { held: 1, task: 2, line: 4 } as const;
export const ROW = { write: 0, remove: 1, check: 2 } as const;
/** How deliveries are numbered by state, on the wire and in the tables. */
export const STATE = { waiting: 0, parked: 1, delivered: 2, dead: 3 } as const;
export const KEY_BYTES = 16;
export const FINGERPRINT_BYTES = 8;
/** What the journal's thread answers of a unit. */
export const OUTCOME = { committed: 0, repeat: 1, differs: 2, conflict: 3 } as const;

const FIRST_SIZE = 1 << 16;
/** A buffer above this is not kept for the next batch. */
const LARGEST_KEPT = 1 << 20;
const KEPT = 3;

/** A batch on its way: operations up to `names`, from there to `used` the texts of new names. */
export interface Batch {
  readonly buffer: ArrayBuffer;
  readonly names: number;
  readonly used: number;
  /** How many calls wait for an answer. */
  readonly calls: number;
}

export interface BatchWriter {
  call(units: readonly Unit[]): void;
  settle(settlement: Settlement): void;
  shape(hash: string, text: string): void;
  /** Bytes written since the last `take`. */
  readonly size: number;
  /** Hands the batch out and begins the next. */
  take(): Batch;
  /** Gives a buffer back for a later batch. */
  give(buffer: ArrayBuffer): void;
}

/** Packs operations into a growing buffer. It remembers the names it has told, so it lives as long as its reader. */
export function createBatchWriter(): BatchWriter {
  const names = new Map<string, number>();
  let fresh: string[] = [];
  let calls = 0;
  const spare: ArrayBuffer[] = [];
  let bytes = Buffer.from(new ArrayBuffer(FIRST_SIZE));
  let view = new DataView(bytes.buffer);
  let at = 0;

  function use(buffer: ArrayBuffer): void {
    bytes = Buffer.from(buffer);
    view = new DataView(buffer);
  }

  function room(more: number): void {
    if (at + more <= bytes.length) return;
    let size = bytes.length * 2;
    while (size < at + more) size *= 2;
    const old = bytes;
    use(new ArrayBuffer(size));
    bytes.set(old.subarray(0, at));
  }

  function begin(kind: number): number {
    room(OPERATION_HEAD + 64);
    view.setUint8(at, kind);
    at += OPERATION_HEAD;
    return at;
  }

  function end(start: number): void {
    view.setUint32(start - 4, at - start, true);
  }

  function u32(value: number): void {
    view.setUint32(at, value, true);
    at += 4;
  }

  function f64(value: number): void {
    view.setFloat64(at, value, true);
    at += 8;
  }

  /** Writes a text's UTF-8 and its length into the four bytes at `lengthAt`. */
  function text(value: string, lengthAt: number): void {
    room(value.length * 3);
    const length = bytes.write(value, at, 'utf8');
    view.setUint32(lengthAt, length, true);
    at += length;
  }

  function numberOf(name: string): number {
    let number = names.get(name);
    if (number === undefined) {
      number = names.size;
      names.set(name, number);
      fresh.push(name);
    }
    return number;
  }

  function name(value: string): void {
    room(4);
    u32(numberOf(value));
  }

  function unseen(expected: NonNullable<Unit['unseen']>): void {
    bytes.set(expected.key, at);
    bytes.set(expected.fingerprint, at + KEY_BYTES);
    at += KEY_BYTES + FINGERPRINT_BYTES;
    f64(Math.ceil(expected.expiresAt));
  }

  /** Answer, attributes and record, as one text where that is as long as its UTF-8: one call into the engine instead of three. */
  function textsOf({ attributes, record }: StoredEvent, answer: string, lengths: number): void {
    const all = answer + attributes + record;
    room(all.length * 3);
    const length = bytes.write(all, at, 'utf8');
    if (length !== all.length) {
      text(answer, lengths);
      text(attributes, lengths + 4);
      text(record, lengths + 8);
      return;
    }
    view.setUint32(lengths, answer.length, true);
    view.setUint32(lengths + 4, attributes.length, true);
    view.setUint32(lengths + 8, record.length, true);
    at += length;
  }

  function event(stored: StoredEvent, answer: string): void {
    const lengths = at;
    at += 16;
    textsOf(stored, answer, lengths);
    const data = stored.data;
    view.setUint32(lengths + 12, data?.length ?? 0, true);
    if (data === undefined) return;
    room(data.length);
    bytes.set(data, at);
    at += data.length;
  }

  /**
   * Trigger and Shape (u32 each), due (f64), flags (u8), why it is parked (u32: a name's number and one; 0: it is not),
   * task and line (a text each).
   */
  function delivery({ trigger, shape, due, held, parked, task, line }: NewDelivery): void {
    name(trigger);
    name(shape);
    room(24);
    f64(Math.ceil(due));
    view.setUint8(
      at++,
      (held ? DELIVERY_FLAG.held : 0) |
        (task === undefined ? 0 : DELIVERY_FLAG.task) |
        (line === undefined ? 0 : DELIVERY_FLAG.line),
    );
    u32(parked === undefined ? 0 : numberOf(parked) + 1);
    if (task !== undefined) sized(task);
    if (line !== undefined) sized(line);
  }

  /** A text behind its length. */
  function sized(value: string): void {
    room(4);
    at += 4;
    text(value, at - 4);
  }

  /** Kind (u32), id (a text), expected version (f64), what to do (u8), and for a write what it writes. */
  function row(wanted: RowWrite): void {
    name(wanted.kind);
    sized(wanted.id);
    room(48);
    f64(wanted.expect);
    if ('check' in wanted) view.setUint8(at++, ROW.check);
    else if ('remove' in wanted) view.setUint8(at++, ROW.remove);
    else {
      view.setUint8(at++, ROW.write);
      f64(Math.round(wanted.at));
      u32(numberOf(wanted.owner));
      u32(numberOf(wanted.status));
      f64(Math.ceil(wanted.due ?? Number.NaN));
      f64(Math.ceil(wanted.expiresAt ?? Number.NaN));
      sized(wanted.body);
    }
  }

  /** State (u8), delivery and time (f64 each), reason (a text); what is left is the attempt. */
  function settlement(settled: Settlement): void {
    const { attempt, state } = settled as {
      attempt?: Parameters<typeof attemptSize>[0];
      state: Settlement['state'];
    };
    room(32);
    view.setUint8(at++, STATE[state]);
    f64(settled.delivery);
    f64(Math.ceil(timeOf(settled)));
    sized('reason' in settled ? settled.reason : '');
    if (attempt === undefined) return;
    room(attemptSize(attempt));
    at = writeAttempt(bytes, at, attempt);
  }

  /** Rows: their length (u32) first, so that they can be read after the event. */
  function rowsOf(rows: readonly RowWrite[]): void {
    at += 4;
    const start = at;
    u32(rows.length);
    for (const each of rows) row(each);
    view.setUint32(start - 4, at - start, true);
  }

  function settlementsOf(settlements: readonly Settlement[]): void {
    room(4);
    u32(settlements.length);
    for (const each of settlements) {
      room(4);
      at += 4;
      const start = at;
      settlement(each);
      view.setUint32(start - 4, at - start, true);
    }
  }

  /** When it came (f64), entrance (u32), dedup key, lengths (u32 each) and bytes, deliveries behind their number (u32). */
  function eventOf({ unseen: expected, deliveries, answer }: Unit, stored: StoredEvent): void {
    room(96);
    f64(Math.round(stored.receivedAt));
    name(stored.entrance);
    room(80);
    if (expected !== undefined) unseen(expected);
    event(stored, answer);
    room(8);
    u32(deliveries.length);
    for (const each of deliveries) delivery(each);
  }

  function unit(wanted: Unit): void {
    room(96);
    const { event: stored, rows, settlements } = wanted;
    at += 4;
    const start = at;
    view.setUint8(at++, flagsOf(wanted));
    if (rows !== undefined) rowsOf(rows);
    if (stored !== undefined) eventOf(wanted, stored);
    if (settlements !== undefined) settlementsOf(settlements);
    view.setUint32(start - 4, at - start, true);
  }

  return {
    call(units) {
      const start = begin(OPERATION.call);
      calls++;
      u32(units.length);
      for (const each of units) unit(each);
      end(start);
    },
    settle(settled) {
      const start = begin(OPERATION.settle);
      settlement(settled);
      end(start);
    },
    shape(hash, body) {
      const start = begin(OPERATION.shape);
      name(hash);
      sized(body);
      end(start);
    },
    get size() {
      return at;
    },
    take() {
      const names = at;
      for (const each of fresh) sized(each);
      const batch = { buffer: bytes.buffer, names, used: at, calls };
      fresh = [];
      calls = 0;
      use(spare.pop() ?? new ArrayBuffer(FIRST_SIZE));
      at = 0;
      return batch;
    },
    give(buffer) {
      if (buffer.byteLength <= LARGEST_KEPT && spare.length < KEPT) spare.push(buffer);
    },
  };
}

function flagsOf({ unseen, event, rows, settlements }: Unit): number {
  return (
    (rows === undefined ? 0 : UNIT_FLAG.rows) |
    (event === undefined ? 0 : UNIT_FLAG.event) |
    (event?.data === undefined ? 0 : UNIT_FLAG.data) |
    (unseen === undefined ? 0 : UNIT_FLAG.unseen) |
    (unseen?.occupy === true ? UNIT_FLAG.occupy : 0) |
    (settlements === undefined ? 0 : UNIT_FLAG.settlements)
  );
}

function timeOf(settlement: Settlement): number {
  if (settlement.state === 'waiting') return settlement.due;
  if (settlement.state === 'dead') return settlement.at;
  return settlement.state === 'delivered' ? settlement.attempt.at : 0;
}
