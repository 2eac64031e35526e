import { isUtf8 } from 'node:buffer';

/** Whether every character is plain: printable ASCII that neither quotes nor escapes. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x25) return false;
  }
  return true;
}

/**
 * Takes a value that is one quoted string out of its quotes (RFC 9110 5.6.4). Quotes within a value stand for themselves:
 * many senders write JSON into a header as it is.
 */
function unquote(text: string): string {
  const last = text.length - 1;
  if (last < 1 || text[0] !== '"' || text[last] !== '"') return text;
  let plain = '';
  for (let i = 1; i < last; i++) {
    if (text[i] === '"') return text;
    if (text[i] === '\\') i++;
    // The last quote was escaped: the string does not end.
    if (i === last) return text;
    plain += text[i] ?? '';
  }
  return plain;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** One round of percent-decoding, into bytes. A `%` without two hexadecimal digits stands for itself. */
function percentDecode(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i);
    if (byte === 0x25) {
      const high = hexValue(text.charCodeAt(i + 1));
      const low = hexValue(text.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/**
 * An attribute's value from its header (CloudEvents HTTP binding 3.1.3.2). `text` is as `node:http` gives it, one
 * character per byte; raw bytes beyond ASCII are read as UTF-8. `undefined` where they are no UTF-8.
 */
export function decodeHeaderValue(text: string): string | undefined {
  if (isPlain(text)) return text;
  const bytes = percentDecode(unquote(text));
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

const HEX = '0123456789ABCDEF';

/** An attribute's value as a header: UTF-8, percent-encoded outside U+0021 to U+007E, and for `"` and `%`. */
export function encodeHeaderValue(text: string): string {
  if (isPlain(text) && !text.includes(' ')) return text;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${HEX[byte >> 4] ?? ''}${HEX[byte & 15] ?? ''}`;
  }
  return encoded;
}
