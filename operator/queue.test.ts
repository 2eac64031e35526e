import { expect, test } from 'vitest';
import { createQueue, type Queue } from './queue.ts';

function queueOf(handle: (key: string) => Promise<void>, workers = 4): Queue {
  return createQueue({
    workers,
    handle,
    failed: () => undefined,
    backoff: { firstMs: 1, mostMs: 2 },
    now: Date.now,
    random: () => 0,
  });
}

test('a name that waits is handled once, and none before the start', async () => {
  const handled: string[] = [];
  const queue = queueOf(async (key) => void handled.push(key), 1);
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  expect(queue.length).toBe(2);
  queue.start();
  await queue.stop();
  expect(handled).toEqual(['a']);
});

test('tells how long a name waited and was worked on, and how it ended', async () => {
  let time = 0;
  const told: unknown[] = [];
  const queue = createQueue({
    workers: 1,
    handle: async (key) => {
      time += 5;
      if (key === 'bad') throw new Error('no');
    },
    failed: () => undefined,
    backoff: { firstMs: 1e6, mostMs: 1e6 },
    idle: (handled) => told.push(`idle after ${handled}`),
    observer: { waited: (ms) => told.push(ms), worked: (...all) => told.push(all) },
    now: () => time,
    random: () => 0,
  });
  queue.add('good');
  queue.add('bad');
  time = 2;
  queue.start();
  await expect.poll(() => told).toEqual([2, ['good', 5, true], 7, ['bad', 5, false], 'idle after 2']);
  await queue.stop();
});

test('a name is never handled twice at once, and again after it was added meanwhile', async () => {
  let active = 0;
  let most = 0;
  let count = 0;
  const gate = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const queue = queueOf(async () => {
    active += 1;
    most = Math.max(most, active);
    count += 1;
    if (count === 1) await gate.promise;
    else second.resolve();
    active -= 1;
  });
  queue.start();
  queue.add('a');
  queue.add('a');
  gate.resolve();
  await second.promise;
  await queue.stop();
  expect({ most, count }).toEqual({ most: 1, count: 2 });
});

test('a name that failed comes again', async () => {
  let count = 0;
  const done = Promise.withResolvers<void>();
  const queue = queueOf(async () => {
    count += 1;
    if (count < 3) throw new Error('not yet');
    done.resolve();
  });
  queue.start();
  queue.add('a');
  await done.promise;
  await queue.stop();
  expect(count).toBe(3);
});

test('names that wait for nothing leave turns to others', async () => {
  const handled: string[] = [];
  const queue = queueOf(async (key) => void handled.push(key), 1);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  queue.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect(handled).not.toContain('c');
  await queue.stop();
});
