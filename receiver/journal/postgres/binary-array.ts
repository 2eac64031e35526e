/**
 * Arrays as PostgreSQL reads them in binary: no escaping, no hex, one copy. A statement takes a whole batch in a handful of
 * them (`unnest`). `pg` sends a Buffer as a binary parameter; the statement must name the type (`$1::int8[]`).
 */

const HEAD = 20;
const OID = { bytea: 17, int8: 20, int4: 23, text: 25, float8: 701, uuid: 2950 } as const;
const NULL = -1;

/** Whole numbers (`int8[]`). */
export function int8s(values: readonly number[]): Buffer {
  return fixed(OID.int8, values, 8, (into, value, at) => into.writeBigInt64BE(BigInt(value), at));
}

/** 64-bit numbers that JavaScript's own cannot hold (`int8[]`). */
export function bigints(values: readonly bigint[]): Buffer {
  return fixed(OID.int8, values, 8, (into, value, at) => into.writeBigInt64BE(value, at));
}

/** Small whole numbers (`int4[]`). */
export function int4s(values: readonly number[]): Buffer {
  return fixed(OID.int4, values, 4, (into, value, at) => into.writeInt32BE(value, at));
}

/** Numbers, undefined as NULL (`float8[]`). */
export function float8s(values: readonly (number | undefined)[]): Buffer {
  return fixed(OID.float8, values, 8, (into, value, at) => into.writeDoubleBE(value, at));
}

/** 16 bytes each (`uuid[]`). */
export function uuids(values: readonly Uint8Array[]): Buffer {
  return fixed(OID.uuid, values, 16, (into, value, at) => into.set(value, at));
}

/** Bytes, undefined as NULL (`bytea[]`). */
export function byteas(values: readonly (Uint8Array | undefined)[]): Buffer {
  let size = HEAD;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const buffer = start(OID.bytea, values, size);
  let at = HEAD;
  for (const value of values) {
    buffer.writeInt32BE(value === undefined ? NULL : value.length, at);
    at += 4;
    if (value === undefined) continue;
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

/** Texts, undefined as NULL (`text[]`). What PostgreSQL's text cannot hold (U+0000) is replaced. */
export function texts(values: readonly (string | undefined)[]): Buffer {
  const told = values.map((value) =>
    value?.includes('\0') === true ? value.replaceAll('\0', '\ufffd') : value,
  );
  let size = HEAD;
  for (const value of told) size += 4 + (value === undefined ? 0 : Buffer.byteLength(value));
  const buffer = start(OID.text, values, size);
  let at = HEAD;
  for (const value of told) {
    const length = value === undefined ? NULL : buffer.write(value, at + 4);
    buffer.writeInt32BE(length, at);
    at += 4 + Math.max(length, 0);
  }
  return buffer;
}

function fixed<T>(
  oid: number,
  values: readonly (T | undefined)[],
  width: number,
  write: (into: Buffer, value: T, at: number) => void,
): Buffer {
  const buffer = start(oid, values, HEAD + values.length * (4 + width));
  let at = HEAD;
  for (const value of values) {
    buffer.writeInt32BE(value === undefined ? NULL : width, at);
    at += 4;
    if (value === undefined) continue;
    write(buffer, value, at);
    at += width;
  }
  return buffer.subarray(0, values.length === 0 ? 12 : at);
}

/** Header: dimensions, whether there are NULLs, element type, length, lower bound; an array without elements has no dimension. */
function start(oid: number, values: readonly unknown[], size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  const empty = values.length === 0;
  buffer.writeInt32BE(empty ? 0 : 1, 0);
  buffer.writeInt32BE(values.includes(undefined) ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return empty ? buffer.subarray(0, 12) : buffer;
}
