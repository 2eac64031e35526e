import { describe, expect, it } from 'vitest';
import { createAnswerReader } from './answer-head.ts';

const read = (text: string) => createAnswerReader()(Buffer.from(text, 'latin1'));
const head = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;

describe('the head of a plain answer', () => {
  it('is read with its status, headers, body and rest', () => {
    const text = head(
      'HTTP/1.1 429 Slow down',
      'Retry-After:\t7',
      'Content-Length: 3',
      'Keep-Alive: timeout=30, max=9',
      'X-None: ',
      'X-Blanks:  \t a \t b',
    );
    expect(read(`${text}abc`)).toEqual({
      status: 429,
      headers: {
        'retry-after': '7',
        'content-length': '3',
        'keep-alive': 'timeout=30, max=9',
        'x-none': '',
        'x-blanks': 'a \t b',
      },
      bodyAt: text.length,
      bodyLength: 3,
      restMs: 28_000,
    });
    expect(read(head('HTTP/1.1 204 ', 'Set-Cookie: a', 'Set-Cookie: b', 'set-cookie: c'))).toMatchObject({
      bodyLength: 0,
      headers: { 'set-cookie': ['a', 'b', 'c'] },
      restMs: 4000,
    });
  });

  it('says that its body comes in chunks', () => {
    expect(read(head('HTTP/1.1 200 x', 'Transfer-Encoding: chunked'))).toMatchObject({
      bodyLength: 'chunked',
    });
  });

  it('is read anew where it differs from the last one', () => {
    const reader = createAnswerReader();
    const ask = (status: number, body: string) =>
      reader(Buffer.from(head(`HTTP/1.1 ${status} x`, `Content-Length: ${body.length}`) + body))?.status;
    expect([ask(200, 'a'), ask(200, 'b'), ask(500, 'c'), ask(200, 'd')]).toEqual([200, 200, 500, 200]);
    expect(reader(Buffer.from(head('HTTP/1.1 200 x', 'Content-Length: +1')))).toBeUndefined();
    expect(reader(Buffer.from(head('HTTP/1.1 200 x', 'Content-Length: +1')))).toBeUndefined();
  });

  it.each([
    ['not whole', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
    ['longer than 8 KiB', head('HTTP/1.1 200 OK', 'Content-Length: 0', `X: ${'x'.repeat(8192)}`)],
    ['of another version', head('HTTP/1.0 200 OK', 'Content-Length: 0')],
    ['with an interim status', head('HTTP/1.1 103 Early Hints', 'Content-Length: 0')],
    ['with a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['with a folded line', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'X: a', ' b')],
    ['with white space before a colon', head('HTTP/1.1 200 OK', 'Content-Length : 0')],
    ['with a control character', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'X: a\0')],
    ['with bytes beyond ASCII', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'X: \xe4')],
    [
      'in chunks and with a length',
      head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Content-Length: 3'),
    ],
    ['in another coding', head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked')],
    ['in chunks where there is no body', head('HTTP/1.1 204 x', 'Transfer-Encoding: chunked')],
    ['that ends with the connection', head('HTTP/1.1 200 OK')],
    ['with two lengths', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Content-Length: 0')],
    ['with a length that is none', head('HTTP/1.1 200 OK', 'Content-Length: 0x1')],
    ['with a body where there is none', head('HTTP/1.1 204 x', 'Content-Length: 1')],
    ['that changes the protocol', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Upgrade: x')],
    ['with other options', head('HTTP/1.1 200 OK', 'Content-Length: 0', 'Connection: keep-alive, upgrade')],
  ])('is left to undici: %s', (_which, text) => {
    expect(read(text)).toBeUndefined();
  });
});
