import { expect, test } from 'vitest';
import { notReady } from './readiness.ts';

const WELL = { leads: true, synced: true, staleMs: 1000, trouble: undefined };

test('ready is who leads and has read everything, and who stands by', () => {
  expect(notReady(WELL)).toBeUndefined();
  expect(notReady({ ...WELL, leads: false, synced: false, staleMs: Infinity })).toBeUndefined();
});

test('not ready says why', () => {
  expect(notReady({ ...WELL, synced: false })).toMatch(/read yet/);
  expect(notReady({ ...WELL, staleMs: 200_000 })).toMatch(/nothing for 200 s/);
  expect(notReady({ ...WELL, leads: false, trouble: 'forbidden' })).toMatch(/forbidden/);
});
