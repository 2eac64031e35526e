/**
 * Entries of the `seen` table, packed: key (16), fingerprint (8), expiry (f64), length of the answer (u32), the answer.
 * A row holds the keys of one transaction that have one window class, in order.
 *
 * The window class keeps keys that expire about the same time together: log2 of the window in hours. A row's id is its
 * class × 2^40 + a number that grows, so that the rows of a class lie together in order of arrival.
 */
import { FINGERPRINT_BYTES, KEY_BYTES } from './wire.ts';

export const CLASSES = 16;
export const CLASS_ROWS = 2 ** 40;
const HEAD = KEY_BYTES + FINGERPRINT_BYTES + 8 + 4;
const HOUR = 3_600_000;

/** The class of a window of so many milliseconds. */
export function windowClass(windowMs: number): number {
  return Math.min(CLASSES - 1, Math.max(0, Math.floor(Math.log2(Math.max(windowMs, 1) / HOUR)) + 1));
}

export interface SeenEntry {
  readonly fingerprint: Uint8Array;
  readonly expires: number;
  readonly answer: Uint8Array;
}

/** Reads the entry at an offset. */
export function readEntry(row: Uint8Array, offset: number): SeenEntry {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const answer = offset + HEAD;
  return {
    fingerprint: row.subarray(offset + KEY_BYTES, offset + KEY_BYTES + FINGERPRINT_BYTES),
    expires: view.getFloat64(offset + KEY_BYTES + FINGERPRINT_BYTES, true),
    answer: row.subarray(answer, answer + view.getUint32(answer - 4, true)),
  };
}

/** Reads four words of a key into `key`. */
export function readKey(bytes: Uint8Array, offset: number, key: Uint32Array): void {
  // By hand: a view would be made for every event.
  for (let i = 0, at = offset; i < 4; i++, at += 4) {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    key[i] = low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  }
}

/** Calls back with key, offset and expiry of each entry of a row. `key` is the same array each time. */
export function eachEntry(
  row: Uint8Array,
  visit: (key: Uint32Array, offset: number, expires: number) => void,
): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const key = new Uint32Array(4);
  for (let at = 0; at < row.length; at += HEAD + view.getUint32(at + HEAD - 4, true)) {
    readKey(row, at, key);
    visit(key, at, view.getFloat64(at + KEY_BYTES + FINGERPRINT_BYTES, true));
  }
}

export interface SeenRow {
  readonly size: number;
  /** Adds an entry whose key, fingerprint and expiry stand in `from` at `at`; answers its offset. */
  add(from: Uint8Array, at: number, answer: Uint8Array): number;
  /** What was added so far; valid until the next `add`. */
  bytes(): Uint8Array;
  cut(size: number): void;
}

/** A row in the making. */
export function createSeenRow(): SeenRow {
  let bytes = Buffer.alloc(4096);
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(from, at, answer) {
      const start = size;
      const end = size + HEAD + answer.length;
      if (end > bytes.length) {
        const larger = Buffer.alloc(Math.max(end, bytes.length * 2));
        larger.set(bytes.subarray(0, size));
        bytes = larger;
      }
      bytes.set(from.subarray(at, at + HEAD - 4), start);
      bytes.writeUInt32LE(answer.length, start + HEAD - 4);
      bytes.set(answer, start + HEAD);
      size = end;
      return start;
    },
    bytes() {
      return bytes.subarray(0, size);
    },
    cut(kept) {
      size = kept;
    },
  };
}
