import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSseParser } from './sse-parser.ts';

function read(chunks: readonly Buffer[], maxBytes = 1000): readonly string[] {
  const told: string[] = [];
  const feed = createSseParser(
    {
      frame: ({ event, data }) => told.push(`${event}|${data.toString()}`),
      broken: (cause) => told.push(`broken: ${cause}`),
    },
    maxBytes,
  );
  for (const chunk of chunks) feed(chunk);
  return told;
}

const STREAM = [
  'retry: 3000\n\n',
  ':heartbeat\n\n',
  'id: evt_0001\nevent: job.state_changed\ndata: {"a":"ä"}\n\n',
  'data: one\r\ndata:two\r\n\r\n',
  'data: three\r\r',
  'event: x\n\n',
  'data\n\n',
].join('');

describe('a stream of server-sent events', () => {
  it('is read frame by frame', () => {
    expect(read([Buffer.from(STREAM)])).toEqual(['job.state_changed|{"a":"ä"}', '|one\ntwo', '|three']);
  });

  it('reads the same however it is cut', () => {
    const bytes = Buffer.from(STREAM);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(read(chunks)).toEqual(read([bytes]));
      }),
    );
  });

  it('never stops at anything', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        const told = read([...chunks.map((chunk) => Buffer.from(chunk)), Buffer.from('\n\ndata: last\n\n')]);
        expect(told.at(-1)).toBe('|last');
      }),
    );
  });

  it('passes over a frame that is too large, and reads on', () => {
    const large = Buffer.from(`data: ${'x'.repeat(3000)}\ndata: more\n\ndata: next\n\n`);
    expect(read([large])).toEqual(['broken: a frame of more than 1000 bytes', '|next']);
    expect(read(Array.from(large, (byte) => Buffer.from([byte])))).toEqual(read([large]));
  });

  it('passes over a frame of so many lines that they cost more than their bytes', () => {
    const lines = Buffer.from(`${'data\n'.repeat(100)}\ndata: next\n\n`);
    expect(read([lines])).toEqual(['broken: a frame of more than 1000 bytes', '|next']);
  });

  it('makes nothing of the lines of a frame that it passes over', () => {
    const lines = Buffer.from(`${'data\n'.repeat(10_000)}\ndata: next\n\n`);
    const slices = vi.spyOn(Buffer.prototype, 'subarray');
    const joins = vi.spyOn(Buffer, 'concat');
    onTestFinished(() => {
      slices.mockRestore();
      joins.mockRestore();
    });
    expect(read([lines]).at(-1)).toBe('|next');
    expect(slices.mock.calls.length + joins.mock.calls.length).toBeLessThan(100);
  });

  it('drops a byte order mark', () => {
    expect(read([Buffer.from('\ufeffdata: a\n\n')])).toEqual(['|a']);
  });
});
