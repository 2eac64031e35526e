/**
 * Works on a journal until it reaches a failpoint for the nth time, and ends there with no warning:
 * `failing-store.ts DIRECTORY ROUND POINT N`. It drives the store without its thread, so that nothing else goes on.
 * Tells what `load-journal.ts` tells, once the store has answered.
 */
import { writeSync } from 'node:fs';
import type { RowWrite, Settlement } from '../../receiver/journal/journal.ts';
import { unit } from '../../receiver/journal/journal-testing.ts';
import { createReplyReader } from '../../receiver/journal/sqlite/reply.ts';
import { openStore } from '../../receiver/journal/sqlite/store.ts';
import { createBatchWriter } from '../../receiver/journal/sqlite/wire.ts';

const [directory = '', round = '0', point = '', nth = '1'] = process.argv.slice(2);
const AT = 1_800_000_000_000;
const DAY = 86_400_000;
const BATCHES = 200;
/** As much as makes a checkpoint due. */
const MUCH = 32 << 20;

let left = Number(nth);
const store = openStore(
  {
    directory,
    maxBytes: 1 << 30,
    retention: { delivered: DAY, unmatched: DAY, dead: DAY },
    limits: { unmatched: { events: 20 } },
    runKeys: 32,
  },
  (reached) => {
    if (reached === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
);
const writer = createBatchWriter();
const [row] = store.rows('crash', ['newest']);
let version = row?.version ?? 0;

/** Notes which batch was the last one, in the transaction that writes the batch. */
function rowOf(batch: number): RowWrite {
  const expect = version++;
  return {
    kind: 'crash',
    id: 'newest',
    expect,
    at: AT,
    owner: 'a/x',
    status: 'Running',
    body: `${round}/${batch}`,
  };
}

let settled: number[] = [];
for (let batch = 0; batch < BATCHES; batch++) {
  const keys = Array.from({ length: 6 }, (_, i) => `${round}/${batch}/${i}`);
  for (const delivery of settled) {
    const settlement: Settlement = { delivery, state: 'delivered', attempt: { at: AT, durationMs: 1 } };
    writer.settle(settlement);
  }
  for (const [i, key] of keys.entries()) {
    const wanted = { at: AT, key, answer: key, data: Buffer.from(key.repeat(20)), triggers: ['a/x', 'a/y'] };
    writer.call([unit({ ...wanted, held: true, ...(i === 0 ? { rows: [rowOf(batch)] } : {}) })]);
  }
  writer.call([unit({ at: AT })]);
  const packed = writer.take();
  const reader = createReplyReader(store.write(packed).reply);
  const told = settled.map((delivery) => `s ${delivery}\n`);
  settled = [];
  for (const key of keys) {
    const [outcome] = reader.next(1) as { outcome: string; event: number; deliveries: number[] }[];
    if (outcome?.outcome !== 'committed') throw new Error(`${key} came to ${outcome?.outcome}`);
    told.push(`c ${key} ${outcome.event} ${outcome.deliveries.join(' ')}\n`);
    settled.push(outcome.deliveries[0] ?? 0);
  }
  writeSync(1, told.join(''));
  store.tidy(batch % 7 === 6 ? MUCH : packed.used);
  if (batch % 5 === 4) while (store.prune(AT).more);
}
store.close();
