import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { JournalError, type Settlement, type Unit } from '../journal.ts';
import { createQueue, type Queue } from './queue.ts';
import type { Batch } from './write-batch.ts';

/** A database that takes what it is given once it is told to. */
function opened() {
  const batches: Batch[] = [];
  const open: { take(): void; fail(error: JournalError): void }[] = [];
  const queue = createQueue({
    write: (batch) =>
      new Promise((resolve, reject) => {
        batches.push(batch);
        const outcomes = batch.units.map(() => ({ outcome: 'committed', event: 0, deliveries: [] }) as const);
        open.push({ take: () => resolve(outcomes), fail: reject });
      }),
    isOwn: () => false,
    clock: () => performance.now(),
  });
  /** The next transaction, once it is under way. */
  async function next() {
    for (;;) {
      const transaction = open.shift();
      if (transaction !== undefined) return transaction;
      await turn();
    }
  }
  return { queue, batches, next };
}

const UNIT: Unit = { deliveries: [], answer: '' };
const SETTLEMENT: Settlement = { delivery: 1, state: 'parked', reason: 'suspended' };

/** Somebody who commits again as soon as he is answered, and before: the queue is never empty. */
function loadWithoutEnd(queue: Queue): void {
  const again = () => queue.commit([UNIT], again);
  again();
  again();
}

it('flush waits for what came before it, and not for load that goes on behind', async () => {
  const { queue, batches, next } = opened();
  loadWithoutEnd(queue);
  const first = await next();
  queue.settle(SETTLEMENT);
  queue.putShape('hash', '{}');
  queue.commit([UNIT], () => undefined);
  const written: boolean[] = [];
  const flushed = queue.flush().then(() => written.push(true));
  first.take();
  const second = await next();
  expect(batches[1]).toMatchObject({ settlements: [SETTLEMENT], shapes: new Map([['hash', '{}']]) });
  expect(written).toEqual([]);
  second.take();
  await flushed;
  expect(batches.length).toBeLessThan(4);
});

it('flush answers at once where nothing is left, and rejects with what kept something from the disk', async () => {
  const { queue, next } = opened();
  await queue.flush();
  queue.settle(SETTLEMENT);
  const failing = queue.flush();
  (await next()).fail(new JournalError('JournalUnavailable', 'the database is away'));
  await expect(failing).rejects.toThrow('the database is away');
  const flushed = queue.flush();
  (await next()).take();
  await flushed;
});
