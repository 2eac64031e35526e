import { expect, it } from 'vitest';
import { createTriggerBacklog } from './trigger-backlog.ts';

it('goes on from what was left, each trigger by itself', () => {
  const backlog = createTriggerBacklog([
    { trigger: 'a/x', count: 2 },
    { trigger: 'a/y', count: 1 },
  ]);
  backlog.added('a/x');
  backlog.added('a/new');
  backlog.ended('a/y');
  expect(['a/x', 'a/y', 'a/new', 'a/none'].map((trigger) => backlog.of(trigger))).toEqual([3, 0, 1, 0]);
});

it('is never less than none, where another receiver has made what ended here', () => {
  const backlog = createTriggerBacklog([]);
  backlog.ended('a/x');
  backlog.added('a/x');
  expect(backlog.of('a/x')).toBe(1);
});
