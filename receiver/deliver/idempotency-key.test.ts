import fc from 'fast-check';
import { expect, it } from 'vitest';
import { idempotencyKey } from './idempotency-key.ts';

it('is the same for the same delivery, today and after any update', () => {
  expect(idempotencyKey('shop/orders', '/shop', '1')).toBe('69717e1beeacdeb6c8f3902420f6d0f4');
  expect(idempotencyKey('shop/orders', '/shop', '1')).toMatch(/^[0-9a-f]{32}$/);
});

it('differs where trigger, source, id or step differ, also where they only run together', () => {
  const parts = fc.tuple(
    fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}$/),
    fc.string(),
    fc.string(),
    fc.stringMatching(/^[a-z]{0,8}$/),
  );
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      expect(idempotencyKey(...a)).not.toBe(idempotencyKey(...b));
    }),
  );
  expect(idempotencyKey('a/b', 'xy', 'z')).not.toBe(idempotencyKey('a/b', 'x', 'yz'));
});
