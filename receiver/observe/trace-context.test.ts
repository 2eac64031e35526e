import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceParent, parseTraceParent, traceContextOf } from './trace-context.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const hex = (length: number) =>
  fc
    .uint8Array({ minLength: length / 2, maxLength: length / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))
    .filter((text) => !/^0+$/.test(text));

describe('a traceparent', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.nat(255), (traceId, spanId, flags) => {
        const parent = { traceId, spanId, flags };
        expect(parseTraceParent(formatTraceParent(parent))).toEqual(parent);
      }),
    );
  });

  it.each([
    PARENT.toUpperCase(),
    PARENT.replace('00-', 'ff-'),
    `${PARENT}-more`,
    PARENT.slice(1),
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    '',
  ])('that is not valid counts for none: %s', (text) => {
    expect(parseTraceParent(text)).toBeUndefined();
    expect(traceContextOf({ traceparent: text, tracestate: 'a=b' })).toBeUndefined();
  });

  it('of a later version may be longer', () => {
    expect(parseTraceParent(`${PARENT.replace('00-', '01-')}-more`)).toMatchObject({ flags: 1 });
  });

  it('brings its tracestate along, but not one without end', () => {
    expect(traceContextOf({ traceparent: PARENT, tracestate: 'a=b' })).toEqual({
      traceparent: PARENT,
      tracestate: 'a=b',
    });
    expect(traceContextOf({ traceparent: PARENT, tracestate: 'x'.repeat(600) })).toEqual({
      traceparent: PARENT,
    });
  });
});
