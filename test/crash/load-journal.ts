/**
 * Commits units as fast as they are acknowledged until it is killed: `load-journal.ts DIRECTORY ROUND`.
 * One line per acknowledged unit on standard output, written before the next is sent: `c KEY EVENT DELIVERY…`, and
 * `s DELIVERY` for each delivery that was settled and flushed.
 */
import { writeSync } from 'node:fs';
import { commit, unit } from '../../receiver/journal/journal-testing.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';

const [directory = '', round = '0'] = process.argv.slice(2);
const CLIENTS = 16;
const RUN_KEYS = 256;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const AT = 1_800_000_000_000;

const journal = await openSqliteJournal({ directory, runKeys: RUN_KEYS });

/**
 * Writes to the parent now, and not when the loop comes round: what was acknowledged is told, or it was not. A pipe that is
 * full says so, since Node's pipes do not block; then the parent is waited for.
 */
function tell(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(PAUSE, 0, 0, 5);
    }
  }
}

/** One client: commits a pair, then settles some of what it committed earlier. */
async function client(number: number): Promise<never> {
  for (let i = 0; ; i++) {
    const keys = [`${round}/${number}/${i}/a`, `${round}/${number}/${i}/b`];
    const units = keys.map((key) =>
      unit({
        at: AT,
        key,
        answer: key,
        data: Buffer.from(key.repeat(20)),
        triggers: ['a/x', 'a/y'],
        held: true,
      }),
    );
    const outcomes = await commit(journal, units);
    const delivered: number[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.outcome !== 'committed') throw new Error(`key ${keys[at]} was seen before it was sent`);
      tell(`c ${keys[at]} ${outcome.event} ${outcome.deliveries.join(' ')}\n`);
      delivered.push(outcome.deliveries[0] ?? 0);
    }
    for (const delivery of delivered)
      journal.settle({ delivery, state: 'delivered', attempt: { at: AT, durationMs: 1 } });
    if (i % 4 !== 0) continue;
    await journal.flush();
    tell(delivered.map((delivery) => `s ${delivery}\n`).join(''));
  }
}

await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
