/**
 * What the journal costs per event: `node test/bench/journal.ts [--events N] [--keys 0,3000000] [--backlog 0,1000000]
 * [--in-flight 64,256] [--dir DIR]`: every window of dedup keys, and every backlog of undone deliveries. CPU is of the whole process (both threads), with a 700-byte event, one delivery each; `accept` is commit
 * alone, `cycle` commit and the delivery's settlement. The fsync time of the same directory is printed beside.
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Journal, Unit } from '../../receiver/journal/journal.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';
import { prefillDeliveries, prefillKeys } from './prefill.ts';

const AT = 1_800_000_000_000;
const DAY = 86_400_000;
const ROUNDS = 3;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    keys: { type: 'string', default: '0,3000000' },
    backlog: { type: 'string', default: '0' },
    'in-flight': { type: 'string', default: '64,256' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const events = Number(values.events);

const attributes = JSON.stringify({
  specversion: '1.0',
  id: '5f0c4b9e-7f9f-4a6e-9d0e-0c1f6b7a8d90',
  source: '/shops/berlin/orders',
  type: 'shop.order.created',
  time: '2026-11-22T12:00:00Z',
  datacontenttype: 'application/json',
});
const data = Buffer.alloc(500, 'x');
const keys = Buffer.alloc(events * 24);

function unit(i: number): Unit {
  return {
    unseen: {
      key: keys.subarray(i * 24, i * 24 + 16),
      fingerprint: keys.subarray(i * 24 + 16, i * 24 + 24),
      expiresAt: AT + DAY,
      occupy: true,
    },
    event: {
      entrance: 'WebhookSecret/shop/orders',
      receivedAt: AT + i,
      attributes,
      data,
      record: '{"key":"main","revision":7,"triggers":["shop/orders-to-jobs"]}',
    },
    deliveries: [{ trigger: 'shop/orders-to-jobs', shape: 'd1946f2d1c8b4f0a', due: AT + i, held: true }],
    answer: '["shop/orders-to-jobs"]',
  };
}

/** Commits all events with so many in flight; settles each where `settled`. */
function run(journal: Journal, inFlight: number, settled: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let done = 0;
    function send(): void {
      journal.commit([unit(sent++)], (error, outcomes) => {
        if (error !== undefined) return reject(error);
        const [outcome] = outcomes;
        if (outcome?.outcome !== 'committed') return reject(new Error('a fresh key was seen'));
        if (settled)
          journal.settle({
            delivery: outcome.deliveries[0] ?? 0,
            state: 'delivered',
            attempt: { at: AT, durationMs: 2, status: 200 },
          });
        if (++done === events) resolve();
        else if (sent < events) send();
      });
    }
    for (let i = 0; i < inFlight; i++) send();
  });
}

function fsyncMs(directory: string): { p50: number; p99: number } {
  const file = openSync(join(directory, 'fsync'), 'w');
  const block = Buffer.alloc(64 << 10);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    writeSync(file, block);
    const start = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  times.sort((a, b) => a - b);
  return { p50: times[100] ?? 0, p99: times[198] ?? 0 };
}

async function measure(directory: string, inFlight: number, settled: boolean): Promise<void> {
  const journal = await openSqliteJournal({ directory });
  const costs: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    randomFillSync(keys);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await run(journal, inFlight, settled);
    await journal.flush();
    const { user, system } = process.cpuUsage(cpu);
    costs.push((user + system) / events);
    rates.push((events / (performance.now() - start)) * 1000);
  }
  await journal.close();
  const middle = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  const rss = process.memoryUsage().rss / (1 << 20);
  console.log(
    `  ${settled ? 'cycle ' : 'accept'} ${String(inFlight).padStart(4)} in flight: ${middle(costs).toFixed(1)} µs CPU per event, ` +
      `${Math.round(middle(rates))} events/s, ${Math.round(rss)} MiB`,
  );
}

const numbers = (list: string): number[] => list.split(',').map(Number);

async function measureAll(count: number, backlog: number): Promise<void> {
  const directory = mkdtempSync(join(values.dir, 'journal-bench-'));
  try {
    const fsync = fsyncMs(directory);
    prefillKeys(directory, count, { at: AT, windowMs: DAY });
    if (backlog > 0)
      await prefillDeliveries(directory, backlog, { trigger: 'shop/orders-to-jobs', at: AT, due: AT + DAY });
    const start = performance.now();
    await (await openSqliteJournal({ directory })).close();
    console.log(
      `${count} keys in the window, a backlog of ${backlog}: opened in ${Math.round(performance.now() - start)} ms; ` +
        `fsync p50 ${fsync.p50.toFixed(3)} p99 ${fsync.p99.toFixed(3)} ms`,
    );
    for (const inFlight of numbers(values['in-flight'])) {
      await measure(directory, inFlight, false);
      await measure(directory, inFlight, true);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const count of numbers(values.keys)) {
  for (const backlog of numbers(values.backlog)) await measureAll(count, backlog);
}
