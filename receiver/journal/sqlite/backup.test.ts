import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lossesOf, toldBy } from '../../../test/crash/journal-round.ts';
import { commit, unit } from '../journal-testing.ts';
import { backupJournal, checkJournal } from './backup.ts';
import { holdCheckpoints, isHeld } from './hold.ts';
import { MIGRATIONS } from './schema.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

const T = 1_800_000_000_000;

let directory: string;
let data: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
  data = join(directory, 'data');
});

afterEach(() => rm(directory, { recursive: true }));

async function filled(count: number): Promise<void> {
  const journal = await openSqliteJournal({ directory: data, runKeys: 16 });
  const row = { kind: 'k', id: 'i', expect: 0, at: T, owner: 'a/x', status: 's', body: '{}' };
  await commit(journal, [
    unit({ at: T, rows: [row] }),
    ...Array.from({ length: count }, (_, i) =>
      unit({ at: T, key: `k${i}`, data: Buffer.alloc(2000, i + 1), triggers: ['a/x'], line: 'l' }),
    ),
  ]);
  const [first] = await journal.claim(T, 1, 1);
  journal.settle({ delivery: first?.id ?? 0, state: 'dead', at: T, reason: 'no' });
  await journal.close();
}

/** Overwrites bytes of the file where others stand, or at a place. */
function overwrite(at: number | Buffer): void {
  const file = join(data, 'journal.db');
  const place = typeof at === 'number' ? at : readFileSync(file).indexOf(at);
  expect(place).toBeGreaterThan(0);
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(64, 0xfe), 0, 64, place);
  closeSync(handle);
}

function inside(sql: string): void {
  const db = new DatabaseSync(join(data, 'journal.db'));
  db.exec(sql);
  db.close();
}

describe('a backup', () => {
  it('of a journal under load has all that was acknowledged before, and disturbs nobody', {
    timeout: 120_000,
  }, async () => {
    await mkdir(data);
    const script = join(import.meta.dirname, '../../../test/crash/load-journal.ts');
    const child = spawn(process.execPath, [script, data, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let heard = (): void => undefined;
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      heard();
    });
    const acknowledged = (bytes: number): Promise<void> =>
      new Promise((resolve) => {
        heard = () => (text.length >= bytes ? resolve() : undefined);
        heard();
      });
    for (let i = 1; i <= 3; i++) {
      await acknowledged(text.length + 20_000);
      const told = toldBy(text);
      const to = join(directory, `backup-${i}`);
      const report = await backupJournal(data, to);
      expect(report.findings).toEqual([]);
      expect(report.events).toBeGreaterThanOrEqual(told.committed.size);
      expect(await readdir(to)).toEqual(['journal.db']);
      expect(await lossesOf(to, told)).toEqual([]);
    }
    expect(await checkJournal(data)).toMatchObject({ findings: [], version: MIGRATIONS.length });
    // It has gone on, and holds nothing of ours.
    await acknowledged(text.length + 10_000);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect((await readdir(data)).filter((name) => !name.startsWith('journal.db'))).toEqual([]);
    expect(await lossesOf(data, toldBy(text))).toEqual([]);
  });

  it('of a journal of an older version keeps that version', async () => {
    await mkdir(data);
    inside(`${MIGRATIONS[0]} PRAGMA user_version = 1; PRAGMA application_id = 1399276152`);
    const to = join(directory, 'backup');
    expect(await backupJournal(data, to)).toMatchObject({ version: 1, events: 0, findings: [] });
    const db = new DatabaseSync(join(to, 'journal.db'));
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    db.close();
  });

  it('is refused where something is there already', async () => {
    await filled(1);
    const to = join(directory, 'backup');
    await mkdir(to);
    await writeFile(join(to, 'mine'), '');
    await expect(backupJournal(data, to)).rejects.toMatchObject({
      message: expect.stringMatching(/not empty/) as string,
    });
    await expect(backupJournal(data, data)).rejects.toMatchObject({
      message: expect.stringMatching(/not empty/) as string,
    });
    expect(await readdir(to)).toEqual(['mine']);
  });

  it('leaves nothing behind where it fails', async () => {
    await filled(1);
    inside('PRAGMA user_version = 99');
    const to = join(directory, 'backup');
    await expect(backupJournal(data, to)).rejects.toMatchObject({ code: 'JournalTooNew' });
    expect(await readdir(to)).toEqual([]);
  });
});

describe('a check', () => {
  it('counts what there is', async () => {
    await filled(40);
    const told: string[] = [];
    const report = await checkJournal(data, { scratch: directory, progress: (step) => told.push(step) });
    expect(report).toMatchObject({ events: 41, undone: 39, dead: 1, keys: 40, rows: 1, findings: [] });
    expect(told).toContain('copying');
    expect((await readdir(directory)).sort()).toEqual(['data']);
  });

  it('finds a damaged event, and names it', async () => {
    await filled(3);
    overwrite(Buffer.alloc(1000, 2));
    const { findings } = await checkJournal(data);
    expect(findings).toEqual([
      { what: 'event', id: 3, message: 'event 3 is damaged: its checksum does not fit' },
    ]);
  });

  it('finds a damaged page', async () => {
    await filled(50);
    for (let page = 2; page < 12; page++) overwrite(page * 8192);
    const { findings } = await checkJournal(data);
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]).toMatchObject({
      what: 'file',
      message: expect.stringContaining('damaged') as string,
    });
  });

  it.each([
    ['DELETE FROM event WHERE id = 3', 'delivery', 2, 'delivery 2 its event is missing'],
    ['UPDATE event SET deliveries = 7 WHERE id = 3', 'event', 3, 'event 3 has not as many deliveries'],
    [
      'INSERT INTO done SELECT id, event, trigger, shape, 2, 0, NULL, NULL, task, line FROM waiting WHERE id = 3',
      'delivery',
      3,
      'undone and done',
    ],
    ['UPDATE waiting SET state = 0', 'delivery', 5, 'beside another of its line'],
    ['UPDATE waiting SET state = 9 WHERE id = 4', 'delivery', 4, 'in a state'],
    ['DELETE FROM row_count', 'row', 1, 'not counted right'],
    ['UPDATE row SET apart = 9', 'row', 1, 'row 1 has lost its body'],
    ["INSERT INTO body VALUES (9, 'x')", 'body', 9, 'body 9 belongs to no row'],
    ["UPDATE seen SET body = x'010203'", 'key', undefined, 'cut off'],
  ])('finds what does not belong together: %s', async (sql, what, id, message) => {
    await filled(5);
    inside(sql);
    const { findings } = await checkJournal(data);
    const found = findings.find((each) => each.message.includes(message));
    expect(found, JSON.stringify(findings)).toMatchObject({ what, ...(id === undefined ? {} : { id }) });
  });

  it.each([
    ['no journal', () => mkdir(data), 'JournalUnavailable', /no journal in .*data/],
    [
      'a file that is none',
      async () => {
        await mkdir(data);
        await writeFile(join(data, 'journal.db'), 'no database at all '.repeat(100));
      },
      'JournalCorrupt',
      /is no journal/,
    ],
    [
      'one of a newer version',
      async () => {
        await filled(1);
        inside('PRAGMA user_version = 99');
      },
      'JournalTooNew',
      /version 99/,
    ],
  ])('refuses %s', async (_, make, code, message) => {
    await make();
    await expect(checkJournal(data, { scratch: directory })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(directory)).toEqual(['data']);
  });

  it('names the directory where there is no room for its copy', async () => {
    await filled(1);
    const scratch = join(directory, 'missing');
    await expect(checkJournal(data, { scratch })).rejects.toMatchObject({
      message: expect.stringContaining(`${scratch} (it is missing)`) as string,
    });
  });
});

describe('who copies a journal', () => {
  it('holds its checkpoints, until nothing is heard of it any more', async () => {
    await filled(1);
    const file = join(data, 'journal.hold');
    const hold = holdCheckpoints(data);
    expect([isHeld(data, Date.now()), isHeld(data, Date.now() + 60_000)]).toEqual([true, false]);
    const journal = await openSqliteJournal({ directory: data });
    const size = async (): Promise<number> => (await stat(join(data, 'journal.db'))).size;
    const before = await size();
    const large = () => commit(journal, [unit({ at: T, data: Buffer.alloc(3 << 20) })]);
    for (let i = 0; i < 30; i++) await large();
    expect(await size()).toBe(before);
    await utimes(file, 0, 0);
    await large();
    await journal.flush();
    await journal.stats();
    expect(await size()).toBeGreaterThan(80 << 20);
    hold.release();
    expect(isHeld(data, Date.now())).toBe(false);
    await journal.close();
  });
});
