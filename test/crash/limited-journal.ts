/**
 * Commits until a write has failed and one has succeeded after it: `limited-journal.ts DIRECTORY`, run under a file size
 * limit that makes the operating system refuse to write. Prints how each commit ended, where that changes.
 */
import { commit, unit } from '../../receiver/journal/journal-testing.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';

const journal = await openSqliteJournal({ directory: process.argv[2] ?? '' });
let last = '';
for (let i = 0; last !== 'committed again'; i++) {
  const failed = last !== '' && last !== 'committed';
  const data = Buffer.alloc(failed ? 10 : 4000);
  const ended = await commit(journal, [
    unit({ at: 1_800_000_000_000, key: String(i), data, triggers: ['a/x'], held: true }),
  ]).then(
    ([outcome]) => (failed ? `${outcome?.outcome} again` : String(outcome?.outcome)),
    (error: { code: string }) => error.code,
  );
  if (ended !== last) console.log(ended);
  last = ended;
  // Until it is open again it refuses at once: give it a turn.
  if (failed) await new Promise((resolve) => setTimeout(resolve, 20));
}
// What was held before the failure is given out again: nobody can say which answers were lost.
console.log(`claimed ${(await journal.claim(1_800_000_000_000, 1, 1)).length}`);
await journal.close();
