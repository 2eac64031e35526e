import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRfc3339, readTimestamp, writeTimestamp } from './timestamp.ts';

describe('parseRfc3339', () => {
  it('reads what Date writes, to the millisecond', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date(-62_167_219_200_000),
          max: new Date(253_402_300_799_999),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseRfc3339(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });

  it.each([
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2024-02-29t00:00:00.123456789z', '2024-02-29T00:00:00.123Z'],
  ])('reads %s', (text, same) => {
    expect(new Date(parseRfc3339(text) ?? Number.NaN).toISOString()).toBe(same);
  });

  it.each([
    '',
    '2024',
    '2024-01-01',
    '2024-01-01T00:00:00',
    '2024-01-01 00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+0000',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00Zx',
    ' 2024-01-01T00:00:00Z',
    '2024-1-1T00:00:00Z',
    '2024-01-01T00:00:0xZ',
    '2024-01-01T00:00:00~00:00',
  ])('refuses "%s"', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});

describe('timestamps of senders', () => {
  it('are read back as written', () => {
    for (const unit of ['Milliseconds', 'RFC3339'] as const) {
      expect(readTimestamp(writeTimestamp(1_700_000_000_123, unit), unit)).toBe(1_700_000_000_123);
    }
    expect(readTimestamp(writeTimestamp(1_700_000_000_123, 'Seconds'), 'Seconds')).toBe(1_700_000_000_000);
  });

  it('are digits and nothing else', () => {
    for (const text of ['', '-1', '1.5', '1e3', ' 1', '1 ', '0x1', '1234567890123456']) {
      expect(readTimestamp(text, 'Seconds')).toBeUndefined();
    }
  });
});
