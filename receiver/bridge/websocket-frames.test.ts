import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFrameReader, encodeFrame, OPCODE } from './websocket-frames.ts';

function read(chunks: readonly Buffer[], maxBytes = 100_000): readonly string[] {
  const told: string[] = [];
  const feed = createFrameReader(
    {
      message: (payload) => told.push(`message ${payload.toString('latin1')}`),
      ping: (payload) => told.push(`ping ${payload.toString('latin1')}`),
      close: (code) => told.push(`close ${code}`),
      broken: (cause) => told.push(`broken: ${cause}`),
      lost: (cause) => told.push(`lost: ${cause}`),
    },
    maxBytes,
  );
  for (const chunk of chunks) feed(chunk);
  return told;
}

function fragment(opcode: number, payload: string, final: boolean): Buffer {
  const frame = encodeFrame(opcode, Buffer.from(payload));
  if (!final) frame[0] = (frame[0] ?? 0) & 0x7f;
  return frame;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536).map((length) => new Uint8Array(length)),
);

describe('WebSocket frames', () => {
  it('come back as they were written, masked or not, however they are cut', () => {
    const mask = fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(payload, mask), { maxLength: 5 }),
        fc.integer({ min: 1, max: 70_000 }),
        (messages, size) => {
          const bytes = Buffer.concat(
            messages.map(([body, key]) =>
              encodeFrame(OPCODE.text, Buffer.from(body), key && Buffer.from(key)),
            ),
          );
          const chunks = [];
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
          expect(read(chunks)).toEqual(
            messages.map(([body]) => `message ${Buffer.from(body).toString('latin1')}`),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('make one message of several, with a ping between them', () => {
    const bytes = [
      fragment(OPCODE.text, 'a', false),
      encodeFrame(OPCODE.ping, Buffer.from('p')),
      fragment(OPCODE.continuation, 'b', true),
      encodeFrame(OPCODE.close, Buffer.from([3, 232])),
    ];
    expect(read(bytes)).toEqual(['ping p', 'message ab', 'close 1000']);
  });

  it.each([
    [encodeFrame(OPCODE.text, Buffer.alloc(500))],
    [fragment(OPCODE.text, 'x'.repeat(60), false), fragment(OPCODE.continuation, 'x'.repeat(60), true)],
  ])('pass over a message that is too large, and read on', (...frames) => {
    const bytes = Buffer.concat([...frames, encodeFrame(OPCODE.text, Buffer.from('next'))]);
    const expected = ['broken: a message of more than 100 bytes', 'message next'];
    expect(read([bytes], 100)).toEqual(expected);
    expect(
      read(
        Array.from(bytes, (byte) => Buffer.from([byte])),
        100,
      ),
    ).toEqual(expected);
  });

  it('make one message of many small fragments, the empty ones too', () => {
    const letters = [...'abcdefghij'.repeat(20)];
    const frames = letters.flatMap((letter) => [
      fragment(OPCODE.continuation, letter, false),
      fragment(OPCODE.continuation, '', false),
    ]);
    const bytes = [
      fragment(OPCODE.text, '', false),
      ...frames,
      fragment(OPCODE.continuation, '!', true),
      encodeFrame(OPCODE.text, Buffer.from('next')),
    ];
    const expected = [`message ${letters.join('')}!`, 'message next'];
    expect(read(bytes)).toEqual(expected);
    expect(read([Buffer.concat(bytes)])).toEqual(expected);
  });

  it('never hold a message of empty fragments that has no end', () => {
    const empty = Array.from({ length: 200 }, () => fragment(OPCODE.continuation, '', false));
    const bytes = [fragment(OPCODE.text, 'a', false), ...empty, fragment(OPCODE.continuation, '', true)];
    expect(read([...bytes, encodeFrame(OPCODE.text, Buffer.from('next'))], 100)).toEqual([
      'broken: a message of more than 100 bytes',
      'message next',
    ]);
  });

  it.each([
    ['one frame', [encodeFrame(OPCODE.text, Buffer.alloc(1 << 20, 'x'))]],
    [
      'many fragments',
      Array.from({ length: 1024 }, (_, i) =>
        fragment(i === 0 ? OPCODE.text : OPCODE.continuation, 'x'.repeat(1024), i === 1023),
      ),
    ],
  ])('copy each byte a few times at most, however small the pieces: %s', (_, frames) => {
    const bytes = Buffer.concat(frames);
    let copied = 0;
    const { concat } = Buffer;
    const spied = vi.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
      const made = concat(list, length);
      copied += made.length;
      return made;
    });
    onTestFinished(() => spied.mockRestore());
    const chunks = [];
    for (let at = 0; at < bytes.length; at += 100) chunks.push(bytes.subarray(at, at + 100));
    expect(read(chunks, 1 << 20)).toEqual([`message ${'x'.repeat(1 << 20)}`]);
    expect(copied).toBeLessThan(3 * bytes.length);
  });

  it('ask for one answer only, where several pings came in one piece', () => {
    const pings = ['a', 'b', 'c'].map((text) => encodeFrame(OPCODE.ping, Buffer.from(text)));
    expect(read([Buffer.concat(pings), ...pings.slice(0, 1)])).toEqual(['ping c', 'ping a']);
  });

  it('say so where the bytes are none', () => {
    expect(read([Buffer.from('HTTP/1.1 200 OK')])[0]).toMatch(/^lost: /);
    expect(read([fragment(OPCODE.continuation, 'b', true)])).toEqual(['lost: a continuation of nothing']);
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array()),
        (chunks) => void read(chunks.map((chunk) => Buffer.from(chunk))),
      ),
    );
  });
});
