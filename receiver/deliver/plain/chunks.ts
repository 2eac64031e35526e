/** A body that came in chunks, whole. */
export interface Chunked {
  readonly body: Buffer;
  /** Where the bytes behind it begin. */
  readonly end: number;
}

const SIZE = /^[0-9a-fA-F]{1,6}$/;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads a chunked body (RFC 9112 7.1) that begins at `start`; undefined where it is not whole in these bytes, or has
 * extensions or trailers.
 */
export function readChunks(bytes: Buffer, start: number): Chunked | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at, 'latin1');
    const size = line < 0 ? '' : bytes.toString('latin1', at, line);
    if (!SIZE.test(size)) return undefined;
    const from = line + 2;
    const to = from + Number.parseInt(size, 16);
    if (bytes[to] !== CR || bytes[to + 1] !== LF) return undefined;
    at = to + 2;
    if (to === from)
      return { body: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), end: at };
    parts.push(bytes.subarray(from, to));
  }
}
