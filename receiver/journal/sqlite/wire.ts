/**
 * What crosses between the receiver's thread and the journal's: one packed buffer each way, little-endian. Every
 * operation of a batch begins with its kind and its length, so that a reader can step over it.
 *
 * Names (entrances, triggers, Shape hashes) come as a number. The texts of those that are new stand behind the last
 * operation, in the order of their numbers, so that they are told even where an operation is stepped over. A text is its
 * length in bytes (u32) and its UTF-8.
 */
import type { NewDelivery, Settlement, StoredEvent, Unit } from '../journal.ts';
import { attemptSize, writeAttempt } from './attempt.ts';

export const OPERATION = { call: 1, settle: 2, shape: 3 } as const;
/** Kind (u8) and length of what follows (u32). */
export const OPERATION_HEAD = 5;
export const UNIT_FLAG = { unseen: 1, data: 2, occupy: 4 } as const;
/** How deliveries are numbered by state, on the wire and in the tables. */
export const STATE = { waiting: 0, parked: 1, delivered: 2, dead: 3 } as const;
/** Trigger and Shape (u32 each), due (f64), held (u8), why it is parked (u32: a name's number and one; 0: it is not). */
export const DELIVERY_BYTES = 21;
export const KEY_BYTES = 16;
export const FINGERPRINT_BYTES = 8;
/** What the journal's thread answers of a unit. */
export const OUTCOME = { committed: 0, repeat: 1, differs: 2 } as const;

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

  function event(stored: StoredEvent, answer: string): void {
    const lengths = at;
    at += 16;
    text(stored.attributes, lengths);
    text(stored.record, lengths + 4);
    const data = stored.data;
    view.setUint32(lengths + 8, data?.length ?? 0, true);
    if (data !== undefined) {
      room(data.length);
      bytes.set(data, at);
      at += data.length;
    }
    text(answer, lengths + 12);
  }

  function delivery(wanted: NewDelivery): void {
    name(wanted.trigger);
    name(wanted.shape);
    room(16);
    f64(Math.ceil(wanted.due));
    view.setUint8(at++, wanted.held ? 1 : 0);
    if (wanted.parked === undefined) u32(0);
    else u32(numberOf(wanted.parked) + 1);
  }

  function unit(wanted: Unit): void {
    room(96);
    const { unseen: expected, event: stored } = wanted;
    view.setUint8(at++, flagsOf(wanted));
    f64(Math.round(stored.receivedAt));
    name(stored.entrance);
    room(80);
    if (expected !== undefined) unseen(expected);
    event(stored, wanted.answer);
    room(8);
    u32(wanted.deliveries.length);
    for (const each of wanted.deliveries) delivery(each);
  }

  return {
    call(units) {
      const start = begin(OPERATION.call);
      calls++;
      u32(units.length);
      for (const each of units) unit(each);
      end(start);
    },
    settle(settlement) {
      const start = begin(OPERATION.settle);
      const { attempt, state } = settlement as {
        attempt?: Parameters<typeof attemptSize>[0];
        state: Settlement['state'];
      };
      view.setUint8(at++, STATE[state]);
      f64(settlement.delivery);
      f64(Math.ceil(timeOf(settlement)));
      at += 4;
      text('reason' in settlement ? settlement.reason : '', at - 4);
      if (attempt !== undefined) {
        room(attemptSize(attempt));
        at = writeAttempt(bytes, at, attempt);
      }
      end(start);
    },
    shape(hash, body) {
      const start = begin(OPERATION.shape);
      name(hash);
      room(4);
      at += 4;
      text(body, at - 4);
      end(start);
    },
    get size() {
      return at;
    },
    take() {
      const names = at;
      for (const each of fresh) {
        room(4);
        at += 4;
        text(each, at - 4);
      }
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

function flagsOf({ unseen, event }: Unit): number {
  const data = event.data === undefined ? 0 : UNIT_FLAG.data;
  if (unseen === undefined) return data;
  return data | UNIT_FLAG.unseen | (unseen.occupy ? UNIT_FLAG.occupy : 0);
}

function timeOf(settlement: Settlement): number {
  if (settlement.state === 'waiting') return settlement.due;
  if (settlement.state === 'dead') return settlement.at;
  return settlement.state === 'delivered' ? settlement.attempt.at : 0;
}
