import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeadReader } from './head.ts';

const readHead = createHeadReader();

function read(text: string, start = 0) {
  return readHead(Buffer.from(text, 'latin1'), start);
}

const PLAIN = 'POST /e/shop?x=%20 HTTP/1.1\r\nHost: a\r\nX-Ab: \t b ü\t \r\ncontent-length: 12\r\n\r\n';

describe('a plain head', () => {
  it('is read with its texts as they came, names in lower case, white space around values left out', () => {
    expect(read(PLAIN)).toEqual({
      method: 'POST',
      url: '/e/shop?x=%20',
      headers: { host: 'a', 'x-ab': 'b ü', 'content-length': '12' },
      bodyAt: PLAIN.length,
      bodyLength: 12,
      close: false,
    });
  });

  it('is read by its own names, whatever the heads before it had in their places', () => {
    const pair = fc.tuple(
      fc.constantFrom('a', 'A', 'ab', 'Ab', 'aB', 'b', 'content-type', 'Content-Type', 'x'),
      fc.constantFrom('1', '2'),
    );
    fc.assert(
      fc.property(fc.array(fc.array(pair, { maxLength: 5 }), { minLength: 1, maxLength: 8 }), (heads) => {
        const readNext = createHeadReader();
        for (const head of heads) {
          const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
          const text = `POST / HTTP/1.1\r\nhost: a\r\n${lines}content-length: 0\r\n\r\n`;
          const names = head.map(([name]) => name.toLowerCase());
          const found = readNext(Buffer.from(text), 0);
          if (new Set(names).size < names.length) expect(found).toBe('other');
          else
            expect(found).toMatchObject({
              headers: { ...Object.fromEntries(head.map(([, value], i) => [names[i], value])), host: 'a' },
            });
        }
      }),
    );
  });

  it('is read from where it begins', () => {
    expect(read(`body${PLAIN}`, 4)).toMatchObject({ url: '/e/shop?x=%20', bodyAt: PLAIN.length + 4 });
  });

  it('is partial until its last byte has come', () => {
    for (let end = 0; end < PLAIN.length; end++) expect(read(PLAIN.slice(0, end)), `${end}`).toBe('partial');
  });

  it('says whether the connection ends', () => {
    const close = (value: string) => read(PLAIN.replace('X-Ab', 'Connection').replace('b ü', value));
    expect([close('Close'), close('keep-alive')]).toMatchObject([{ close: true }, { close: false }]);
    expect(close('close, x')).toBe('other');
  });

  it.each([
    ['another method', 'POST', 'GET'],
    ['a method in lower case', 'POST', 'post'],
    ['a target that is no path', '/e/shop', 'http://a/'],
    ['a target with a fragment', '%20', '#'],
    ['another version', '1.1', '1.0'],
    ['a line feed alone', '\r\nX-Ab', '\nX-Ab'],
    ['a carriage return alone', '\r\nX-Ab', '\rX-Ab'],
    ['a folded line', '\r\nX-Ab: ', '\r\n X-Ab: '],
    ['white space before the colon', 'X-Ab:', 'X-Ab :'],
    ['a header without a name', 'X-Ab:', ':'],
    ['a control character', 'b ü', 'b\x01'],
    ['a null byte', 'b ü', 'b\0'],
    ['no host', 'Host', 'Hos'],
    ['a header twice', 'X-Ab', 'HOST'],
    ['a name that every object has', 'X-Ab', '__proto__'],
    ['two lengths', 'X-Ab: \t b ü\t ', 'Content-Length: 12'],
    ['a list of lengths', ': 12', ': 12, 12'],
    ['a signed length', ': 12', ': +12'],
    ['a length with a zero before it', ': 12', ': 012'],
    ['no length', 'content-length', 'content-size'],
    ['a length beyond counting', ': 12', ': 9999999999'],
    ['a transfer coding', 'X-Ab', 'Transfer-Encoding'],
    ['an expectation', 'X-Ab', 'Expect'],
    ['an upgrade', 'X-Ab', 'Upgrade'],
    ['a connection of a proxy', 'X-Ab', 'Proxy-Connection'],
    ['cookies to set', 'X-Ab', 'Set-Cookie'],
    [
      'more headers than are plain',
      '\r\nX-Ab',
      Array.from({ length: 64 }, (_, i) => `\r\nx${i}: 1`).join(''),
    ],
  ])('has not %s', (_what, from, to) => {
    const changed = PLAIN.replace(from, to);
    expect(changed).not.toBe(PLAIN);
    expect(read(changed)).toBe('other');
  });

  it('gives back what it was made of', () => {
    const name = fc.stringMatching(/^x-[a-z0-9]{1,8}$/);
    const value = fc.string({
      unit: fc
        .integer({ min: 0x21, max: 0xff })
        .filter((code) => code !== 0x7f)
        .map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(
        fc.dictionary(name, value, { maxKeys: 20 }),
        fc.nat({ max: 999_999 }),
        (headers, length) => {
          const all = { host: 'h', ...headers, 'content-length': String(length) };
          const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
          expect(read(`POST / HTTP/1.1\r\n${lines.join('')}\r\n`)).toMatchObject({
            headers: all,
            bodyLength: length,
          });
        },
      ),
    );
  });
});
