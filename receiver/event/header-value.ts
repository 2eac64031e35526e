import { isUtf8 } from 'node:buffer';

/** Whether every character is plain: printable ASCII that neither quotes nor escapes. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x25) return false;
  }
  return true;
}

/** Takes quoted strings out of their quotes (RFC 9110 5.6.4); `undefined` where one does not end. */
function unquote(text: string): string | undefined {
  if (!text.includes('"')) return text;
  let plain = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character === '"') {
      quoted = !quoted;
    } else if (quoted && character === '\\') {
      i++;
      plain += text[i] ?? '';
    } else {
      plain += character;
    }
  }
  return quoted ? undefined : plain;
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
 * character per byte; raw bytes beyond ASCII are read as UTF-8. `undefined` where the value is no valid one.
 */
export function decodeHeaderValue(text: string): string | undefined {
  if (isPlain(text)) return text;
  const unquoted = unquote(text);
  if (unquoted === undefined) return undefined;
  const bytes = percentDecode(unquoted);
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
