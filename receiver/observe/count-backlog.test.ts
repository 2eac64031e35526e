import { expect, it } from 'vitest';
import { createMemoryLog } from '../deliver/testing.ts';
import { countBacklog } from './count-backlog.ts';

it('tells what was left, and holds nothing up where that is not known', async () => {
  const log = createMemoryLog();
  const counts = [{ trigger: 'a/x', count: 3 }];
  expect(await countBacklog({ countUndone: async () => counts }, log)).toEqual(counts);
  const away = { countUndone: () => Promise.reject(new Error('away')) };
  expect(await countBacklog(away, log)).toEqual([]);
  expect(log.lines.map(({ text }) => text).join('')).toMatch(/not known in full.*away/);
});
