import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commit, unit } from '../receiver/journal/journal-testing.ts';
import { openSqliteJournal } from '../receiver/journal/sqlite/sqlite-journal.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

const T = 1_800_000_000_000;

let directory: string;
let data: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
  data = join(directory, 'data');
  const journal = await openSqliteJournal({ directory: data });
  await commit(journal, [
    unit({ at: T, key: 'a', triggers: ['a/x'], data: Buffer.alloc(100, 0x61) }),
    unit({ at: T, key: 'b' }),
  ]);
  await journal.close();
});

afterEach(() => rm(directory, { recursive: true }));

async function signalbox(...args: readonly string[]) {
  const shown: string[] = [];
  const terminal = Object.assign(fakeTerminal(), { progress: (text: string) => shown.push(text) });
  const exit = await main(['journal', ...args], terminal);
  return { exit, out: terminal.outLines, err: terminal.errLines, shown };
}

function damage(): void {
  const file = join(data, 'journal.db');
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('a'.repeat(100)) + 50] = 0x62;
  writeFileSync(file, bytes);
}

describe('signalbox journal', () => {
  it('check tells what there is and that nothing is wrong', async () => {
    const { exit, out, shown } = await signalbox('check', '--data', data);
    expect(exit).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(
        /^Journal of version \d+, \d+ kB: 2 events, 1 undone deliveries, 0 dead letters, 2 dedup keys, 0 rows\.$/,
      ),
      'Nothing is wrong with it.',
    ]);
    expect(shown[0]).toMatch(/^copying … \d+ %$/);
    expect(shown.at(-1)).toBe('');
  });

  it('check tells what is wrong, and fails', async () => {
    damage();
    const { exit, out } = await signalbox('check', '--data', data);
    expect(exit).toBe(1);
    expect(out.slice(1)).toEqual([
      '1 finding:',
      '  event 1 is damaged: its checksum does not fit',
      'The receiver serves none of these events; their deliveries become dead letters when they are due.',
    ]);
    const told = await signalbox('check', '--data', data, '-o', 'json');
    expect(told.exit).toBe(1);
    expect(JSON.parse(told.out.join(''))).toMatchObject({ events: 2, findings: [{ what: 'event', id: 1 }] });
  });

  it('backup makes a journal that can be used', async () => {
    const to = join(directory, 'backup');
    expect((await signalbox('backup', '--data', data, '--to', to)).exit).toBe(0);
    expect(await readdir(to)).toEqual(['journal.db']);
    const journal = await openSqliteJournal({ directory: to });
    expect(await journal.claim(T, 9, 1 << 20)).toMatchObject([{ trigger: 'a/x' }]);
    expect(await commit(journal, [unit({ at: T, key: 'b' })])).toMatchObject([{ outcome: 'seen' }]);
    await journal.close();
    const again = await signalbox('backup', '--data', data, '--to', to);
    expect([again.exit, again.err]).toEqual([
      1,
      [`${to} is not empty; name a new directory for the backup.`],
    ]);
  });

  it('backup that is stopped keeps nothing', async () => {
    const to = join(directory, 'backup');
    const terminal = fakeTerminal();
    terminal.end();
    expect(await main(['journal', 'backup', '--data', data, '--to', to], terminal)).toBe(1);
    expect(terminal.errLines).toEqual(['Stopped; no copy was kept.']);
    expect([await readdir(to), await readdir(data)]).toEqual([[], ['journal.db']]);
  });

  it.each([
    [[], 2, /check, backup or copy/],
    [['mend'], 2, /check, backup or copy/],
    [['check', 'data'], 2, /one word/],
    [['backup'], 2, /--to DIR/],
    [['backup', '--to', 'x', '--scratch', 'y'], 2, /--scratch is of journal check/],
    [['check', '--to', 'x'], 2, /--to is of journal backup/],
    [['check', '-o', 'yaml'], 2, /-o yaml/],
    [['check', '--data', '/nowhere'], 1, /^There is no journal in \/nowhere: journal\.db is missing/],
  ])('refuses %j', async (args, code, message) => {
    const { exit, err } = await signalbox(...args);
    expect([exit, err[0]]).toEqual([code, expect.stringMatching(message)]);
  });
});
