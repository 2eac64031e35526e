import { describe, expect, it } from 'vitest';
import { emptyAnswer, jsonAnswer } from '../answer.ts';
import { createEncode } from './encode.ts';

describe('an answer', () => {
  let now = Date.UTC(2026, 0, 2, 3, 4, 5, 999);
  const encode = createEncode(75_000, () => now);

  it('goes out as one text: status, its headers, length, date, connection, body', () => {
    expect(encode(jsonAnswer(202, '{"a":1}'), false)).toEqual({
      text:
        'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 7\r\n' +
        'Date: Fri, 02 Jan 2026 03:04:05 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\n\r\n{"a":1}',
      ascii: true,
    });
  });

  it('tells its length in bytes, and that it has more than ASCII', () => {
    const { text, ascii } = encode(jsonAnswer(200, '"ü"'), true);
    expect(text).toMatch(/\r\ncontent-length: 4\r\nDate: .*\r\nConnection: close\r\n\r\n"ü"$/);
    expect(ascii).toBe(false);
  });

  it('has no length where the status has no body', () => {
    expect(encode(emptyAnswer(204), false).text).not.toContain('content-length');
  });

  it('has the date of the second that it is made in', () => {
    now += 1;
    expect(encode(emptyAnswer(202), false).text).toContain('03:04:06 GMT');
  });

  it('never has a header that would begin another', () => {
    expect(() => encode({ status: 202, headers: { x: 'a\r\nb: c' }, body: '' }, false)).toThrow(TypeError);
  });
});
