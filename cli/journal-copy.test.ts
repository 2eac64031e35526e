import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commit, unit } from '../receiver/journal/journal-testing.ts';
import { openSqliteJournal } from '../receiver/journal/sqlite/sqlite-journal.ts';
import { describeWithPostgres, type TestDatabase } from '../test/postgres/suite.ts';
import { openClosedDoor } from './journal/closed-door.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

it('a closed door tells every sender to come back', async () => {
  const door = await openClosedDoor({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`http://127.0.0.1:${door.port}/e/shop.hooks`, { method: 'POST', body: '{}' });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  await expect(openClosedDoor({ host: '127.0.0.1', port: door.port })).rejects.toThrow(
    /stop the receiver first/,
  );
  await door.close();
});

describeWithPostgres('signalbox journal copy', (postgres) => {
  let database: TestDatabase;
  let directory: string;

  beforeEach(async () => {
    database = await postgres.database();
    directory = await mkdtemp(join(tmpdir(), 'journal-copy-'));
  });

  afterEach(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  async function signalbox(...args: readonly string[]) {
    const terminal = fakeTerminal();
    const exit = await main(args, terminal);
    return { exit, out: terminal.outLines.join('\n'), err: terminal.errLines.join('\n') };
  }

  it('tells what it copied, with the password from a file', async () => {
    const journal = await openSqliteJournal({ directory });
    await commit(journal, [unit({ at: 1_800_000_000_000, key: 'k', triggers: ['a/x'] })]);
    await journal.close();
    const url = new URL(database.url);
    const file = join(directory, 'password');
    await writeFile(file, `${url.password}\n`);
    url.password = '';
    const { exit, out } = await signalbox(
      'journal',
      'copy',
      '--from',
      directory,
      '--to',
      url.href,
      '--journal-password-file',
      file,
      '--answer',
      '127.0.0.1:0',
      '--answer',
      '127.0.0.1:0',
    );
    expect(exit).toBe(0);
    expect(out).toMatch(/^Copied 1 events, 1 deliveries, 1 dedup keys and 0 rows in /);
    expect(out).toMatch(
      /holds 1 events, 1 undone deliveries, 0 dead letters, 0 rows, as many as the source\.$/,
    );
  });

  it('says what is wrong with how it was called, and with what it was given', async () => {
    expect((await signalbox('journal', 'copy', '--from', directory)).exit).toBe(2);
    const wrong = await signalbox('journal', 'copy', '--from', directory, '--to', 'mysql://x');
    expect(wrong.err).toMatch(/--to: it is no URL like postgres:/);
    const door = await openClosedDoor({ host: '127.0.0.1', port: 0 });
    const answer = ['--answer', '127.0.0.1:0', '--answer', `127.0.0.1:${door.port}`];
    const taken = await signalbox('journal', 'copy', '--from', directory, '--to', database.url, ...answer);
    expect([taken.exit, taken.err]).toEqual([1, expect.stringMatching(/stop the receiver first/)]);
    await door.close();
    const empty = await signalbox('journal', 'copy', '--from', directory, '--to', database.url);
    expect([empty.exit, empty.err]).toEqual([1, expect.stringMatching(/There is no journal\.db in /)]);
  });
});
