import { describe, expect, it } from 'vitest';
import { readChunks } from './chunks.ts';

const read = (text: string, start = 0) => {
  const found = readChunks(Buffer.from(text, 'latin1'), start);
  return found === undefined ? undefined : [found.body.toString('latin1'), found.end];
};

describe('a body in chunks', () => {
  it('is read with where it ends', () => {
    expect(read('0\r\n\r\n')).toEqual(['', 5]);
    expect(read('head2\r\nab\r\nA\r\n0123456789\r\n00\r\n\r\nmore', 4)).toEqual(['ab0123456789', 32]);
    expect(read('4\r\n\r\n\r\n\r\n0\r\n\r\n')).toEqual(['\r\n\r\n', 14]);
  });

  it.each([
    ['', 'nothing of it is there'],
    ['2\r\na', 'a chunk is not whole'],
    ['2\r\nab\r\n', 'the last chunk is not there'],
    ['2\r\nab\r\n0\r\n', 'its end is not there'],
    ['2\r\nabc\r\n0\r\n\r\n', 'a chunk is longer than it says'],
    ['2\nab\r\n0\r\n\r\n', 'a line ends without a carriage return'],
    ['2;a=b\r\nab\r\n0\r\n\r\n', 'a chunk has an extension'],
    ['2\r\nab\r\n0\r\nX: y\r\n\r\n', 'it has trailers'],
    [' 2\r\nab\r\n0\r\n\r\n', 'a size is none'],
    ['0x2\r\nab\r\n0\r\n\r\n', 'a size is none'],
    ['1000000\r\nab\r\n0\r\n\r\n', 'a size is above what is read here'],
  ])('is left to undici: %j, %s', (text) => {
    expect(read(text)).toBeUndefined();
  });
});
