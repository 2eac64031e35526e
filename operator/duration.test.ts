import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['72h', 259_200_000],
  ['90s', 90_000],
  ['500ms', 500],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['0s', 0],
  ['0', 0],
  ['1500us', 2],
  ['2000000ns', 2],
  ['PT0.2S', 200],
  ['PT30S', 30_000],
  ['PT10M', 600_000],
  ['P1DT2H', 93_600_000],
  ['P1W', 604_800_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '5',
  'h',
  '-1s',
  '1 h',
  '1h ',
  'x1h',
  '1hx',
  '1d',
  'P',
  'PT',
  'P1D T',
  'P1Y',
  'P1M',
  '1e3s',
  'PT1',
  '9'.repeat(20) + 'h',
])('"%s" is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test('the two forms of one duration agree', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(59), fc.nat(59), (h, m, s) => {
      expect(parseDuration(`${h}h${m}m${s}s`)).toBe(parseDuration(`PT${h}H${m}M${s}S`));
    }),
  );
});
