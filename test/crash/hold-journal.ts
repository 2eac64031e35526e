/** Holds a journal until it is killed: `hold-journal.ts DIRECTORY`. Tells its parent once it has it. */
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';

const journal = await openSqliteJournal({ directory: process.argv[2] ?? '' });
process.on('disconnect', () => void journal.close());
process.send?.('open');
