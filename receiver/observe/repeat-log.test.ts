import { expect, it } from 'vitest';
import { createRepeatLog } from './repeat-log.ts';

const repeat = { at: 1, entrance: 'e', source: '/s', id: 'a', differs: false };

it('counts an event’s repeats, and those that differ', () => {
  const log = createRepeatLog(10);
  expect(log.of('e', '/s', 'a')).toBeUndefined();
  log.add(repeat);
  log.add({ ...repeat, at: 2, differs: true });
  expect(log.of('e', '/s', 'a')).toEqual({ count: 2, differing: 1, lastAt: 2 });
  expect(log.of('other', '/s', 'a')).toBeUndefined();
});

it('forgets what was not repeated for the longest time', () => {
  const log = createRepeatLog(2);
  log.add(repeat);
  log.add({ ...repeat, id: 'b' });
  log.add(repeat);
  log.add({ ...repeat, id: 'c' });
  expect(log.of('e', '/s', 'b')).toBeUndefined();
  expect(log.of('e', '/s', 'a')?.count).toBe(2);
  expect(log.of('e', '/s', 'c')?.count).toBe(1);
});
