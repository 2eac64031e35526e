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

/** Makes an Encode. `keepAliveMs` is what senders are told of how long a connection without requests lives. */
export function createEncode(keepAliveMs: number, now: () => number): Encode {
  const kept = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n\r\n`;
  const closed = 'Connection: close\r\n\r\n';
  let second = Number.NaN;
  let date = '';

  function dateLine(): string {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      date = `Date: ${new Date(current * 1000).toUTCString()}\r\n`;
    }
    return date;
  }

  return ({ status, headers, body }, close) => {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
    const bytes = Buffer.byteLength(body);
    if (hasLength(status)) text += `content-length: ${bytes}\r\n`;
    return { text: `${text}${dateLine()}${close ? closed : kept}${body}`, ascii: bytes === body.length };
  };
}
