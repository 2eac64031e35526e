import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { createRowUpdate, type Indexed } from './row-update.ts';
import { MIGRATIONS } from './schema.ts';

const BEFORE: Indexed = { owner: 1, due: 10, expires: null };
const ALWAYS = { version: 2, status: 4, changed: 9, body: 'b', apart: null, later: 12 };

/** Changes a row, and tells which of the columns that indexes go by the statement named. */
function changed(after: Indexed): { named: unknown[]; row: object | undefined } {
  const db = new DatabaseSync(':memory:');
  db.exec(`${MIGRATIONS.join('')} CREATE TABLE named (text TEXT);
    INSERT INTO row VALUES (7, 1, 'k', 1, 1, 3, 10, NULL, 5, 5, 'a', NULL, NULL);`);
  // Such a trigger fires for a column that a statement names, whether or not its value changes.
  for (const column of ['kind', 'key', 'owner', 'due', 'expires'])
    db.exec(`CREATE TRIGGER on_${column} AFTER UPDATE OF ${column} ON row
      BEGIN INSERT INTO named VALUES ('${column}'); END`);
  createRowUpdate(db)(7, BEFORE, after, ALWAYS);
  const named = db.prepare('SELECT text FROM named ORDER BY text').all();
  const row = db.prepare('SELECT * FROM row').get();
  db.close();
  return { named: named.map(({ text }) => text), row: row && { ...row } };
}

it.each<[Partial<Indexed>, string[]]>([
  [{}, []],
  [{ due: null }, ['due']],
  [{ due: 11 }, ['due']],
  [{ due: null, expires: 20 }, ['due', 'expires']],
  [{ owner: 2, due: 11, expires: 20 }, ['due', 'expires', 'owner']],
])('touches the indexes of what changes and no other: %j', (difference, columns) => {
  const after = { ...BEFORE, ...difference };
  const { named, row } = changed(after);
  expect(named).toEqual(columns);
  expect(row).toEqual({ id: 7, kind: 1, key: 'k', created: 5, ...after, ...ALWAYS });
});
