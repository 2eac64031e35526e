import { describe, expect, it } from 'vitest';
import { blocksOf, eventsIn, wantedBytes } from './id-blocks.ts';

const event = (id: number, name: string) => ({ id, attributes: JSON.stringify({ source: '/s', id: name }) });

describe('hashes of ids', () => {
  it('are one block for numbers that follow each other, of a length that stays on a page', () => {
    const events = [1, 2, 3, 7, 8].map((id) => event(id, `e${id}`));
    expect(blocksOf(events).map(({ first, hashes }) => [first, hashes.length])).toEqual([
      [1, 12],
      [7, 8],
    ]);
    const many = Array.from({ length: 1000 }, (_, i) => event(i, 'e'));
    expect(blocksOf(many).map(({ first, hashes }) => [first, hashes.length])).toEqual([
      [0, 1600],
      [400, 1600],
      [800, 800],
    ]);
    expect(blocksOf([])).toEqual([]);
  });

  it('tell which events may have an id', () => {
    const [block] = blocksOf([event(5, 'a'), event(6, 'b'), event(7, 'a')]);
    expect(block && eventsIn(block, wantedBytes('a'))).toEqual([7, 5]);
    expect(block && eventsIn(block, wantedBytes('c'))).toEqual([]);
  });

  it('are compared whole: what lies across two of them is none', () => {
    const wanted = wantedBytes('a');
    const hashes = Buffer.concat([Buffer.of(0, 0), wanted, Buffer.of(0, 0), wanted]);
    expect(eventsIn({ first: 5, hashes }, wanted)).toEqual([7]);
  });

  it('are not led astray by attributes that look like it', () => {
    const attributes = '{"myid":"a","note":"\\"id\\":\\"b\\"","id":"c"}';
    const [block] = blocksOf([
      { id: 1, attributes },
      { id: 2, attributes: '{"source":"/none"}' },
    ]);
    expect(['a', 'b', 'c'].map((id) => block && eventsIn(block, wantedBytes(id)))).toEqual([[], [], [1]]);
  });
});
