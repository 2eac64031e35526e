/**
 * What the journal's thread answers a batch with, call by call: status (u8, 0: written), then either one outcome per
 * unit or the error's code and message.
 */
import { JournalError, type UnitOutcome } from '../journal.ts';
import { OUTCOME } from './wire.ts';

const CODES = [
  'JournalFull',
  'JournalUnavailable',
  'JournalCorrupt',
  'JournalLocked',
  'JournalTooNew',
] as const;

export interface ReplyWriter {
  /** Begins a call's answer: its units' outcomes follow. */
  begin(): void;
  readonly size: number;
  /** Takes back what was written after `size`. */
  cut(size: number): void;
  committed(event: number, firstDelivery: number, deliveries: number): void;
  seen(differs: boolean, answer: Uint8Array): void;
  conflict(row: number): void;
  failed(error: JournalError): void;
  take(): ArrayBuffer;
}

/** Packs answers into a buffer. */
export function createReplyWriter(): ReplyWriter {
  let bytes = Buffer.alloc(1 << 14);
  let at = 0;

  function room(more: number): void {
    if (at + more <= bytes.length) return;
    const old = bytes;
    bytes = Buffer.alloc(Math.max(old.length * 2, at + more));
    bytes.set(old.subarray(0, at));
  }

  return {
    begin() {
      room(1);
      bytes[at++] = 0;
    },
    get size() {
      return at;
    },
    cut(size) {
      at = size;
    },
    committed(event, firstDelivery, deliveries) {
      room(21);
      bytes[at] = OUTCOME.committed;
      bytes.writeDoubleLE(event, at + 1);
      bytes.writeDoubleLE(firstDelivery, at + 9);
      bytes.writeUInt32LE(deliveries, at + 17);
      at += 21;
    },
    seen(differs, answer) {
      room(5 + answer.length);
      bytes[at] = differs ? OUTCOME.differs : OUTCOME.repeat;
      bytes.writeUInt32LE(answer.length, at + 1);
      bytes.set(answer, at + 5);
      at += 5 + answer.length;
    },
    conflict(row) {
      room(5);
      bytes[at] = OUTCOME.conflict;
      bytes.writeUInt32LE(row, at + 1);
      at += 5;
    },
    failed(error) {
      room(6 + error.message.length * 3);
      bytes[at] = 1;
      bytes[at + 1] = CODES.indexOf(error.code);
      const length = bytes.write(error.message, at + 6, 'utf8');
      bytes.writeUInt32LE(length, at + 2);
      at += 6 + length;
    },
    take() {
      const taken = new ArrayBuffer(at);
      new Uint8Array(taken).set(bytes.subarray(0, at));
      at = 0;
      return taken;
    },
  };
}

export interface ReplyReader {
  /** The next call's answer: its outcomes, or why it was not written. */
  next(units: number): JournalError | UnitOutcome[];
}

/** Reads the answers in the order of their calls. */
export function createReplyReader(reply: ArrayBuffer): ReplyReader {
  const bytes = Buffer.from(reply);
  const view = new DataView(reply);
  let at = 0;

  function text(length: number): string {
    at += length;
    return bytes.toString('utf8', at - length, at);
  }

  function committed(): UnitOutcome {
    const event = view.getFloat64(at + 1, true);
    const first = view.getFloat64(at + 9, true);
    const count = view.getUint32(at + 17, true);
    at += 21;
    const deliveries: number[] = [];
    for (let i = 0; i < count; i++) deliveries.push(first + i);
    return { outcome: 'committed', event, deliveries };
  }

  function outcome(): UnitOutcome {
    const kind = bytes[at];
    if (kind === OUTCOME.committed) return committed();
    const length = view.getUint32(at + 1, true);
    at += 5;
    if (kind === OUTCOME.conflict) return { outcome: 'conflict', row: length };
    return { outcome: 'seen', differs: kind === OUTCOME.differs, answer: text(length) };
  }

  return {
    next(units) {
      if (bytes[at++] !== 0) {
        const code = CODES[bytes[at] ?? 1] ?? 'JournalUnavailable';
        const length = view.getUint32(at + 1, true);
        at += 5;
        return new JournalError(code, text(length));
      }
      const outcomes: UnitOutcome[] = [];
      for (let i = 0; i < units; i++) outcomes.push(outcome());
      return outcomes;
    },
  };
}
