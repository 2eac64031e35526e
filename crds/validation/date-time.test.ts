import { expect, test } from 'vitest';
import { isDateTime } from './date-time.ts';

test.each(['2027-01-31T00:00:00Z', '2028-02-29T23:59:59.123456789+02:00', '2027-01-31t00:00:00z'])(
  '%s is a time',
  (text) => expect(isDateTime(text)).toBe(true),
);

test.each([
  '2027-02-29T00:00:00Z',
  '2027-13-01T00:00:00Z',
  '2027-00-01T00:00:00Z',
  '2027-01-31T24:00:00Z',
  '2027-01-31T00:60:00Z',
  '2027-01-31T00:00:00',
  '2027-01-31',
  ' 2027-01-31T00:00:00Z',
  '',
])('%s is none', (text) => expect(isDateTime(text)).toBe(false));
