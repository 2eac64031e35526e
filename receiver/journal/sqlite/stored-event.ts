import { crc32 } from 'node:zlib';

/** An event as its row has it. */
export interface EventColumns {
  readonly attributes: number;
  readonly crc: number;
  readonly head: Uint8Array;
  readonly data: Uint8Array | null;
}

/** Whether the bytes are those that were written. */
export function intact({ crc, head, data }: EventColumns): boolean {
  return crc32(data ?? new Uint8Array(0), crc32(head)) === crc;
}

/** The attributes' JSON text. */
export function attributesOf({ head, attributes }: Pick<EventColumns, 'head' | 'attributes'>): string {
  return utf8(head.subarray(0, attributes));
}

/** The record's JSON text. */
export function recordOf({ head, attributes }: Pick<EventColumns, 'head' | 'attributes'>): string {
  return utf8(head.subarray(attributes));
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
