import { expect, it } from 'vitest';
import { sharedJournal } from './shared-journal.ts';

it('is the same for all who write to one database, whoever they are there', () => {
  const one = sharedJournal('postgres://ann:secret@db.shop/events?pool=8');
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(sharedJournal('postgresql://bob@db.shop:5432/events')).toBe(one);
});

it('is another for another database', () => {
  const all = [
    '@db.shop/events',
    '@db.shop/other',
    '@db2.shop/events',
    '@db.shop:5433/events',
    '@/events?host=/run',
  ];
  expect(new Set(all.map((rest) => sharedJournal(`postgres://ann${rest}`))).size).toBe(all.length);
});

it('is none where a receiver has its journal for itself', () => {
  expect(sharedJournal(undefined)).toBeUndefined();
});
