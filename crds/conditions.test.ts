import { expect, test } from 'vitest';
import { CONDITIONS, REASONS } from './conditions.ts';

test.each(Object.entries(REASONS))('%s is told in full', (name, { condition, meaning, remedy }) => {
  expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
  expect(Object.keys(CONDITIONS)).toContain(condition);
  for (const sentence of [meaning, remedy]) expect(sentence).toMatch(/^[A-Z`].+\.$/);
});
