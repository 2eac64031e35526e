import { expect, it } from 'vitest';
import { createMemoryLog } from '../deliver/testing.ts';
import type { TriggerCount } from '../journal/journal.ts';
import { createRecount } from './recount.ts';
import { createTriggerBacklog } from './trigger-backlog.ts';

it('follows what other receivers add and end, and keeps the last count while the journal is away', async () => {
  const log = createMemoryLog();
  const backlog = createTriggerBacklog([{ trigger: 'a/x', count: 9 }]);
  let time = 0;
  let found: readonly TriggerCount[] | undefined = [{ trigger: 'a/y', count: 2 }];
  const countUndone = async () => found ?? Promise.reject(new Error('away'));
  const recount = createRecount({ journal: { countUndone }, backlog, log, now: () => time });
  const counts = async () => {
    await recount();
    return [backlog.of('a/x'), backlog.of('a/y')];
  };

  expect(await counts()).toEqual([0, 2]);
  found = [{ trigger: 'a/y', count: 1 }];
  expect(await counts()).toEqual([0, 2]);
  time = 10_000;
  expect(await counts()).toEqual([0, 1]);
  found = undefined;
  time = 20_000;
  expect(await counts()).toEqual([0, 1]);
  expect(log.lines.map(({ text }) => text).join('')).toMatch(/counted anew.*away/);
});
