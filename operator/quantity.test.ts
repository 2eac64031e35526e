import { expect, test } from 'vitest';
import { parseQuantity } from './quantity.ts';

test.each([
  ['1Mi', 1_048_576],
  ['512Ki', 524_288],
  ['1M', 1_000_000],
  ['1048576', 1_048_576],
  [1_048_576, 1_048_576],
  ['1.5Gi', 1_610_612_736],
  ['0.5', 1],
])('%s is %i bytes', (text, bytes) => {
  expect(parseQuantity(text)).toBe(bytes);
});

test.each(['', 'Mi', '-1Mi', '1 Mi', '1MB', '1mi', '1Mi ', 'NaN', '9999999999Ti'])(
  '"%s" is no quantity',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);
