/*
 * A receiver's journal in a process of its own, which a test can kill or stop. Arguments: the database's URL, how many
 * deliveries to hold. Says their ids on standard output, as JSON; then does what it is told on standard input, a line each:
 * `settle`: all of them are waiting again; `commit`: holds one more and says its id.
 */
import { createInterface } from 'node:readline';
import { commit, unit } from '../../receiver/journal/journal-testing.ts';
import { parsePostgresAddress } from '../../receiver/journal/postgres/address.ts';
import { openPostgresJournal } from '../../receiver/journal/postgres/postgres-journal.ts';

const [url = '', count = '1'] = process.argv.slice(2);
const journal = await openPostgresJournal({ address: parsePostgresAddress(url) });

async function hold(many: number): Promise<readonly number[]> {
  const at = Date.now();
  const outcomes = await commit(
    journal,
    Array.from({ length: many }, () => unit({ at, triggers: ['a/x'], held: true })),
  );
  return outcomes.flatMap((each) => (each.outcome === 'committed' ? each.deliveries : []));
}

const say = (ids: readonly number[]): void => void process.stdout.write(`${JSON.stringify(ids)}\n`);
const held = await hold(Number(count));
say(held);
for await (const line of createInterface(process.stdin)) {
  if (line === 'commit') say(await hold(1));
  if (line === 'settle') {
    for (const delivery of held) journal.settle({ delivery, state: 'waiting', due: 0 });
    await journal.flush();
    say([]);
  }
}
