import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { commit, unit } from '../journal-testing.ts';
import { MIGRATIONS } from './schema.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

const T = 1_800_000_000_000;
const ATTRIBUTES = '{"id":"1","source":"/s","type":"t"}';

const APPLICATION = 0x53_67_42_78;

/** A file as version 1 left it: an event with a delivery that waits, one that is parked and one that is dead. */
function writeVersion1(directory: string): void {
  const db = new DatabaseSync(join(directory, 'journal.db'));
  db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; ${MIGRATIONS[0]}
    PRAGMA user_version = 1; PRAGMA application_id = ${APPLICATION};
    INSERT INTO name VALUES (1, 'EventTrigger/a/x'), (2, 'a/x'), (3, 'shape');
    INSERT INTO shape VALUES (3, '{"map":1}');
    INSERT INTO waiting VALUES (1, 1, 2, 3, 0, ${T}, 1, 2, NULL, NULL), (2, 1, 2, 3, 1, ${T}, 0, 0, 'suspended', NULL);
    INSERT INTO done VALUES (3, 1, 2, 3, 3, ${T}, 'HTTP 400', NULL);`);
  const head = Buffer.from(`${ATTRIBUTES}{}`);
  const data = Buffer.from('data');
  db.prepare('INSERT INTO event VALUES (1, ?, 1, 1, 3, ?, ?, ?, ?)').run(
    T,
    ATTRIBUTES.length,
    crc32(data, crc32(head)),
    head,
    data,
  );
  db.close();
}

it('a journal of version 1 is brought to the present one, with all that it holds', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  writeVersion1(directory);
  const journal = await openSqliteJournal({ directory });
  const [claimed] = await journal.claim(T, 9, 1 << 20);
  expect(claimed).toMatchObject({
    id: 1,
    trigger: 'a/x',
    shape: 'shape',
    attempts: 2,
    attributes: ATTRIBUTES,
  });
  expect(Buffer.from(claimed?.data ?? []).toString()).toBe('data');
  journal.settle({ delivery: 1, state: 'delivered', attempt: { at: T, durationMs: 1 } });
  expect(await journal.release('a/x', T)).toBe(1);
  journal.settle({ delivery: 3, state: 'waiting', due: T });
  expect((await journal.claim(T, 9, 1 << 20)).map(({ id }) => id)).toEqual([2, 3]);
  const row = { kind: 'k', id: 'i', expect: 0, at: T, owner: 'a/x', status: 's', body: '' };
  await commit(journal, [unit({ at: T, triggers: ['a/x'], line: 'l', task: 't', rows: [row] })]);
  expect(await journal.claim(T, 9, 1 << 20)).toMatchObject([{ id: 4, line: 'l', task: 't' }]);
  await journal.close();
  const again = await openSqliteJournal({ directory });
  expect(await again.rows('k', ['i'])).toMatchObject([{ version: 1 }]);
  await again.close();
  await rm(directory, { recursive: true });
});

/** A file as version 2 left it: deliveries of two triggers that wait, those of the first longer. */
function writeVersion2(directory: string): void {
  const db = new DatabaseSync(join(directory, 'journal.db'));
  db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; ${MIGRATIONS.slice(0, 2).join('')}
    PRAGMA user_version = 2; PRAGMA application_id = ${APPLICATION};
    INSERT INTO name VALUES (1, 'EventTrigger/a/x'), (2, 'a/many'), (3, 'a/ten'), (4, 'shape');
    INSERT INTO shape VALUES (4, '{"map":1}')`);
  const head = Buffer.from(`${ATTRIBUTES}{}`);
  const event = db.prepare('INSERT INTO event VALUES (1, ?, 1, 1, 310, ?, ?, ?, NULL)');
  event.run(T, ATTRIBUTES.length, crc32(head), head);
  const waiting = db.prepare('INSERT INTO waiting VALUES (?, 1, ?, 4, 0, ?, ?, 0, NULL, NULL, NULL, NULL)');
  for (let id = 1; id <= 310; id++) waiting.run(id, id <= 300 ? 2 : 3, T + id, id % 2);
  db.close();
}

it('a journal of version 2 gives out what waits in it in turns', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  writeVersion2(directory);
  const journal = await openSqliteJournal({ directory });
  const claimed = await journal.claim(T + 1000, 40, 1 << 20);
  expect(claimed).toHaveLength(40);
  expect(claimed.filter(({ trigger }) => trigger === 'a/ten').map(({ id }) => id)).toEqual(
    Array.from({ length: 10 }, (_, i) => 301 + i),
  );
  const rest = await journal.claim(T + 1000, 1000, 1 << 20);
  expect(new Set([...claimed, ...rest].map(({ id }) => id)).size).toBe(310);
  await journal.close();
  await rm(directory, { recursive: true });
});

it('a journal of version 2 keeps the long bodies of its rows, which then change like any other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  const db = new DatabaseSync(join(directory, 'journal.db'));
  db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; ${MIGRATIONS[0]} ${MIGRATIONS[1]}
    PRAGMA user_version = 2; PRAGMA application_id = ${APPLICATION};
    INSERT INTO name VALUES (1, 'k'), (2, 'a/x'), (3, 'Waiting');
    INSERT INTO row_count VALUES (1, 2, 3, 2);`);
  const insert = db.prepare('INSERT INTO row VALUES (?, 1, ?, 1, 2, 3, ?, NULL, ?, ?, ?)');
  const long = (text: string) => JSON.stringify(text.repeat(1000));
  for (const [i, id] of ['x', 'y'].entries()) insert.run(i + 1, id, T, T, T, long(id));
  db.close();
  const journal = await openSqliteJournal({ directory });
  const write = { kind: 'k', expect: 1, at: T, owner: 'a/x', status: 'Blocked' };
  await commit(journal, [unit({ at: T, rows: [{ ...write, id: 'x', body: long('z') }] })]);
  const { items } = await journal.listRows({ kind: 'k', status: 'Waiting', limit: 9 });
  expect(items.map(({ id, body }) => [id, body])).toEqual([['y', long('y')]]);
  expect(await journal.rows('k', ['x', 'y'])).toMatchObject([{ body: long('z') }, { body: long('y') }]);
  expect(await journal.dueRows('k', T, 9)).toMatchObject([{ id: 'y', body: long('y') }]);
  await journal.close();
  await rm(directory, { recursive: true });
});

it('a journal of version 4 keeps its due times, and moves them as any other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  const db = new DatabaseSync(join(directory, 'journal.db'));
  db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; ${MIGRATIONS.slice(0, 4).join('')}
    PRAGMA user_version = 4; PRAGMA application_id = ${APPLICATION};
    INSERT INTO name VALUES (1, 'k'), (2, 'a/x'), (3, 's');
    INSERT INTO row_count VALUES (1, 2, 3, 3);`);
  const insert = db.prepare("INSERT INTO row VALUES (NULL, 1, ?, 1, 2, 3, ?, NULL, ?, ?, '', NULL)");
  const HOUR = 3_600_000;
  for (const id of ['stays', 'later', 'never']) insert.run(id, T + HOUR, T, T);
  db.close();
  const journal = await openSqliteJournal({ directory });
  const write = { kind: 'k', expect: 1, at: T, owner: 'a/x', status: 's', body: '' };
  const rows = [
    { ...write, id: 'later', due: T + 2 * HOUR },
    { ...write, id: 'never' },
  ];
  await commit(journal, [unit({ at: T, rows })]);
  const due = async (now: number) => (await journal.dueRows('k', now, 9)).map(({ id }) => id);
  expect(await due(T + HOUR)).toEqual(['stays']);
  expect(await due(T + 2 * HOUR)).toEqual(['stays', 'later']);
  await journal.close();
  await rm(directory, { recursive: true });
});
