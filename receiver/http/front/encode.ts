import { STATUS_CODES } from 'node:http';
import { type Answer, hasLength } from '../answer.ts';

/** An answer as it goes out. */
export interface Encoded {
  readonly text: string;
  /** Every character is one byte. */
  readonly ascii: boolean;
}

/** Writes answers as `node:http` would, head and body in one text. */
export type Encode = (answer: Answer, close: boolean) => Encoded;

const VISIBLE = /^[\x20-\x7e]*$/;

/** A value that could end its line is a fault of ours, and never goes out. */
function headerLine(name: string, value: string): string {
  if (!VISIBLE.test(value)) throw new TypeError(`the answer's ${name} cannot be a header`);
  return `${name}: ${value}`;
}

/** Makes an Encode. `keepAliveMs` is what senders are told of how long a connection without requests lives. */
export function createEncode(keepAliveMs: number, now: () => number): Encode {
  const kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  let second = Number.NaN;
  let tails = { kept: '', closed: '' };
  /** The beginning that was written last: most answers begin alike. */
  let last = { status: 0, headers: {} as Answer['headers'], text: '' };

  /** Date and connection, which change once a second. */
  function tail(close: boolean): string {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      const date = `\r\nDate: ${new Date(current * 1000).toUTCString()}\r\n`;
      tails = { kept: date + kept, closed: `${date}Connection: close\r\n\r\n` };
    }
    return close ? tails.closed : tails.kept;
  }

  return ({ status, headers, body }, close) => {
    if (status !== last.status || headers !== last.headers)
      last = { status, headers, text: beginning(status, headers) };
    const bytes = Buffer.byteLength(body);
    const length = hasLength(status) ? String(bytes) : '';
    return { text: last.text + length + tail(close) + body, ascii: bytes === body.length };
  };
}

/** Status and headers, as far as the length; without the end of the last line. */
function beginning(status: number, headers: Answer['headers']): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}`];
  for (const name in headers) lines.push(headerLine(name, headers[name] ?? ''));
  if (hasLength(status)) lines.push('content-length: ');
  return lines.join('\r\n');
}
