import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../journal.ts';
import { commit, unit } from '../journal-testing.ts';
import { openSqliteJournal } from './sqlite-journal.ts';

const T = 1_800_000_000_000;
const DAY = 86_400_000;
const canMount = process.platform === 'linux' && process.getuid?.() === 0;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function filled(count: number): Promise<void> {
  const journal = await openSqliteJournal({ directory });
  await commit(
    journal,
    Array.from({ length: count }, (_, i) =>
      unit({ at: T, key: `k${i}`, data: Buffer.alloc(2000, i), triggers: ['a/x'] }),
    ),
  );
  await journal.close();
}

/** Overwrites bytes of the file where a text stands. */
function damage(file: string, found: Buffer): void {
  const at = readFileSync(file).indexOf(found);
  expect(at).toBeGreaterThan(0);
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(found.length, 0x21), 0, found.length, at);
  closeSync(handle);
}

describe('opening', () => {
  it('refuses a directory that another process uses, and takes it when that is killed', {
    timeout: 60_000,
  }, async () => {
    const child = fork(join(import.meta.dirname, '../../../test/crash/hold-journal.ts'), [directory]);
    await once(child, 'message');
    await expect(openSqliteJournal({ directory })).rejects.toMatchObject({
      code: 'JournalLocked',
      message: expect.stringContaining(directory) as string,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openSqliteJournal({ directory })).close();
  });

  it('refuses a journal of a newer version', async () => {
    await filled(1);
    const db = new DatabaseSync(join(directory, 'journal.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(openSqliteJournal({ directory })).rejects.toMatchObject({
      code: 'JournalTooNew',
      message: expect.stringMatching(/version 99.*newer program/) as string,
    });
  });

  it('refuses a file that is none of its own', async () => {
    await writeFile(
      join(directory, 'journal.db'),
      'no database, but long enough to be looked at '.repeat(50),
    );
    await expect(openSqliteJournal({ directory })).rejects.toMatchObject({ code: 'JournalCorrupt' });
    await rm(join(directory, 'journal.db'));
    const db = new DatabaseSync(join(directory, 'journal.db'));
    db.exec('CREATE TABLE other (id)');
    db.close();
    await expect(openSqliteJournal({ directory })).rejects.toMatchObject({ code: 'JournalCorrupt' });
  });

  it('names a directory that cannot be made', async () => {
    await writeFile(join(directory, 'file'), '');
    const below = join(directory, 'file', 'data');
    await expect(openSqliteJournal({ directory: below })).rejects.toMatchObject({
      code: 'JournalUnavailable',
      message: expect.stringContaining(below) as string,
    });
  });

  it('names a directory that cannot be written', async () => {
    // Root may write everywhere but to a file system that is mounted read-only.
    if (canMount) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory]);
    else await chmod(directory, 0o500);
    try {
      await expect(openSqliteJournal({ directory })).rejects.toMatchObject({
        code: 'JournalUnavailable',
        message: expect.stringContaining(directory) as string,
      });
    } finally {
      if (canMount) execFileSync('umount', [directory]);
      else await chmod(directory, 0o700);
    }
  });

  it('finds a small file damaged', async () => {
    await filled(50);
    const file = join(directory, 'journal.db');
    const handle = openSync(file, 'r+');
    for (let page = 2; page < 12; page++) writeSync(handle, Buffer.alloc(64, 0xff), 0, 64, page * 8192);
    closeSync(handle);
    await expect(openSqliteJournal({ directory })).rejects.toMatchObject({ code: 'JournalCorrupt' });
  });
});

describe('damage', () => {
  it('is not served: the delivery is a dead letter, the event an error, the rest goes on', async () => {
    await filled(3);
    damage(join(directory, 'journal.db'), Buffer.alloc(1000, 1));
    const errors: string[] = [];
    const log = { warn: () => undefined, error: (_: object, message: string) => errors.push(message) };
    const journal = await openSqliteJournal({ directory, log });
    expect((await journal.claim(T, 10, 1 << 20)).map(({ data }) => data?.[0])).toEqual([0, 2]);
    expect(errors).toEqual([expect.stringContaining('damaged')]);
    const { items } = await journal.deliveries({ limit: 5, state: 'dead' });
    expect(items).toMatchObject([{ reason: expect.stringContaining('checksum') as string }]);
    await expect(journal.event(items[0]?.event ?? 0)).rejects.toMatchObject({ code: 'JournalCorrupt' });
    await journal.close();
  });
});

describe('the limit', () => {
  const large = (i: number, triggers: string[] = []) =>
    unit({ at: T, key: `k${i}`, data: Buffer.alloc(8000), triggers, held: true });

  it('lets delivered history go first, and keeps every dedup key', async () => {
    const journal = await openSqliteJournal({ directory, maxBytes: 2 << 20 });
    for (let i = 0; i < 600; i++) await commit(journal, [large(i)]);
    const { items } = await journal.events({ limit: 1000 });
    expect(items.length).toBeGreaterThan(100);
    expect(items.length).toBeLessThan(300);
    expect((await journal.stats()).bytes).toBeLessThanOrEqual(2 << 20);
    expect(await commit(journal, [large(0)])).toMatchObject([{ outcome: 'seen' }]);
    await journal.close();
  });

  it('refuses when only undone events are left, takes settlements, and goes on when there is room', async () => {
    const journal = await openSqliteJournal({ directory, maxBytes: 2 << 20 });
    const undone: number[] = [];
    let refused: unknown;
    for (let i = 0; refused === undefined && i < 400; i++) {
      try {
        const [outcome] = await commit(journal, [large(i, ['a/x'])]);
        if (outcome?.outcome === 'committed') undone.push(...outcome.deliveries);
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({
      code: 'JournalFull',
      message: expect.stringContaining(directory) as string,
    });
    expect(await journal.stats()).toMatchObject({ backlog: undone.length });
    for (const delivery of undone.slice(0, 50))
      journal.settle({ delivery, state: 'delivered', attempt: { at: T, durationMs: 1 } });
    await journal.flush();
    // The names in a refused call count: a later one may use them.
    let taken = false;
    for (let i = 0; i < 20 && !taken; i++)
      taken = await commit(journal, [large(1000 + i, ['a/new'])]).then(
        () => true,
        () => false,
      );
    expect(taken).toBe(true);
    expect((await journal.deliveries({ limit: 1 })).items[0]?.trigger).toBe('a/new');
    await journal.close();
  });
});

describe.skipIf(process.platform === 'win32')('a disk that fails', () => {
  it('costs the calls under way; the journal opens itself again', { timeout: 60_000 }, () => {
    const script = join(import.meta.dirname, '../../../test/crash/limited-journal.ts');
    // Writing beyond 1 MiB of a file is an I/O error to the process, where the signal is ignored.
    const command = 'trap "" XFSZ; ulimit -f "$0"; exec "$@"';
    const told = execFileSync('sh', ['-c', command, '2048', process.execPath, script, directory], {
      encoding: 'utf8',
    });
    expect(told.trim().split('\n')).toEqual([
      'committed',
      'JournalUnavailable',
      'committed again',
      'claimed 1',
    ]);
  });
});

describe.skipIf(!canMount)('a full disk', () => {
  let mount: string;
  let journal: Journal;

  beforeEach(async () => {
    mount = join(directory, 'disk');
    await mkdir(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount]);
    journal = await openSqliteJournal({ directory: mount, maxBytes: 1 << 30 });
  });

  afterEach(async () => {
    await journal.close();
    execFileSync('umount', [mount]);
  });

  it('refuses, keeps what it took, and goes on by itself', async () => {
    await writeFile(join(mount, 'other'), Buffer.alloc(2 << 20));
    const taken: number[] = [];
    let refused: unknown;
    for (let i = 0; refused === undefined && i < 1000; i++) {
      try {
        const [outcome] = await commit(journal, [
          unit({ at: T, key: `k${i}`, data: Buffer.alloc(8000), triggers: ['a/x'], held: true }),
        ]);
        if (outcome?.outcome === 'committed') taken.push(outcome.event);
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: 'JournalFull', message: expect.stringContaining(mount) as string });
    const { items } = await journal.events({ limit: 1000 });
    expect(items.map(({ event }) => event)).toEqual(taken.toReversed());
    await rm(join(mount, 'other'));
    expect(await commit(journal, [unit({ at: T, key: 'after' })])).toMatchObject([{ outcome: 'committed' }]);
    expect(await commit(journal, [unit({ at: T, key: 'k0' })])).toMatchObject([{ outcome: 'seen' }]);
    await journal.prune(T + 30 * DAY);
  });
});
