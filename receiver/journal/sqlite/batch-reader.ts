import { OPERATION_HEAD } from './wire.ts';

/** Walks through the operations of a batch (wire.ts). One reader serves all batches: nothing is allocated per operation. */
export interface BatchReader {
  open(bytes: Uint8Array): void;
  readonly bytes: Uint8Array;
  /** Where the next read begins. */
  at: number;
  /** The kind of the next operation (its body is entered), or 0 at the end. */
  next(): number;
  /** Where the current operation ends. */
  readonly end: number;
  u8(): number;
  u32(): number;
  f64(): number;
  slice(length: number): Uint8Array;
  text(length: number): string;
}

/** Makes a reader. */
export function createBatchReader(): BatchReader {
  let bytes: Buffer = Buffer.alloc(0);
  let view = new DataView(bytes.buffer, bytes.byteOffset, 0);
  let end = 0;

  const reader: BatchReader = {
    at: 0,
    open(batch) {
      bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      reader.at = 0;
      end = 0;
    },
    get bytes() {
      return bytes;
    },
    get end() {
      return end;
    },
    next() {
      reader.at = end;
      if (end >= bytes.length) return 0;
      const kind = view.getUint8(end);
      reader.at = end + OPERATION_HEAD;
      end = reader.at + view.getUint32(reader.at - 4, true);
      return kind;
    },
    u8: () => view.getUint8(reader.at++),
    u32() {
      reader.at += 4;
      return view.getUint32(reader.at - 4, true);
    },
    f64() {
      reader.at += 8;
      return view.getFloat64(reader.at - 8, true);
    },
    slice(length) {
      reader.at += length;
      return bytes.subarray(reader.at - length, reader.at);
    },
    text(length) {
      reader.at += length;
      return bytes.toString('utf8', reader.at - length, reader.at);
    },
  };
  return reader;
}

/** The texts of new names that stand behind a batch's operations. */
export function readTexts(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32LE(at);
    texts.push(buffer.toString('utf8', at + 4, end));
    at = end;
  }
  return texts;
}
