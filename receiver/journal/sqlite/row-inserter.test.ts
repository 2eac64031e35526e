import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRowInserter } from './row-inserter.ts';

let db: DatabaseSync;
beforeEach(() => {
  db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE pair (id INTEGER PRIMARY KEY, text TEXT, other INTEGER)');
});

function rows(): readonly (readonly unknown[])[] {
  return db
    .prepare('SELECT id, text, other FROM pair ORDER BY id')
    .all()
    .map((row) => Object.values(row));
}

describe('rows that are gathered', () => {
  it.each([0, 1, 2, 7, 31, 32, 33, 43, 64, 107])('are all there after write: %i', (count) => {
    const inserter = createRowInserter(db, '(?, ?, 7)', (values) => `INSERT INTO pair ${values}`);
    const expected = Array.from({ length: count }, (_, i) => [i + 1, `text ${i}`, 7]);
    for (const [id, text] of expected) inserter.add(id as number, text as string);
    inserter.write();
    expect(rows()).toEqual(expected);
    inserter.write();
    inserter.add(1000, 'later');
    inserter.write();
    expect(rows()).toEqual([...expected, [1000, 'later', 7]]);
  });

  it('go with the transaction that was rolled back', () => {
    const inserter = createRowInserter(db, '(?, ?, 7)', (values) => `INSERT INTO pair ${values}`);
    inserter.add(1, 'gone');
    inserter.rolledBack();
    inserter.add(2, 'kept');
    inserter.write();
    expect(rows()).toEqual([[2, 'kept', 7]]);
  });
});
