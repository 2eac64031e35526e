import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMemoryLog, SHAPE } from '../deliver/testing.ts';
import type { Journal, NewDelivery, Unit } from '../journal/journal.ts';
import { openSqliteJournal } from '../journal/sqlite/sqlite-journal.ts';
import { countBacklog } from './count-backlog.ts';
import { createTriggerBacklog } from './trigger-backlog.ts';

function unit(...deliveries: readonly Partial<NewDelivery>[]): Unit {
  const event = { entrance: 'e', receivedAt: 1, attributes: '{}', data: undefined, record: '{}' };
  const whole = { trigger: 'shop/pack', shape: SHAPE, due: 1, held: false };
  return { event, deliveries: deliveries.map((each) => ({ ...whole, ...each })), answer: '[]' };
}

function commit(journal: Journal, units: readonly Unit[]): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.commit(units, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

it('counts what an earlier process left for each trigger, and not what came after it began', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-backlog-'));
  try {
    const journal = await openSqliteJournal({ directory });
    const many = Array.from({ length: 1500 }, () => unit({}, { trigger: 'shop/gift', parked: 'suspended' }));
    await commit(journal, many);
    journal.settle({ delivery: 1, state: 'delivered', attempt: { at: 1, durationMs: 1 } });
    journal.settle({ delivery: 3, state: 'dead', at: 1, reason: 'gone' });
    await journal.flush();
    const backlog = createTriggerBacklog();
    const signal = new AbortController().signal;
    await countBacklog(journal, backlog, { signal, log: createMemoryLog() });
    await commit(journal, [unit({})]);
    backlog.added('shop/pack');
    await expect.poll(() => [backlog.of('shop/pack'), backlog.of('shop/gift')]).toEqual([1499, 1500]);
    await journal.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
