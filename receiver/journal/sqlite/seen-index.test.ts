import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createFingerprints } from './fingerprints.ts';
import { createKeyTable } from './key-table.ts';
import { MIGRATIONS } from './schema.ts';
import { openSeenIndex, type SeenIndex } from './seen-index.ts';
import { windowClass } from './seen-log.ts';

const T = 1_800_000_000_000;
const HOUR = 3_600_000;

function database(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(MIGRATIONS.join(''));
  return db;
}

function entryOf(key: string, expires: number): Buffer {
  const entry = Buffer.alloc(32);
  hash('sha256', key, 'buffer').copy(entry, 0, 0, 24);
  entry.writeDoubleLE(expires, 24);
  return entry;
}

function add(seen: SeenIndex, key: string, window = HOUR, now = T): void {
  seen.add(entryOf(key, now + window), 0, { expires: now + window, now, answer: Buffer.from(key) });
}

function found(seen: SeenIndex, key: string, now = T): string | undefined {
  const entry = seen.find(entryOf(key, 0), 0, now);
  return entry === undefined ? undefined : Buffer.from(entry.answer).toString();
}

/** One transaction. */
function write(db: DatabaseSync, seen: SeenIndex, work: () => void): void {
  db.exec('BEGIN');
  work();
  seen.write();
  db.exec('COMMIT');
  seen.committed();
}

describe('the dedup index', () => {
  it('takes back what a rolled-back transaction added, and nothing else', () => {
    const db = database();
    const seen = openSeenIndex(db);
    write(db, seen, () => add(seen, 'kept'));
    for (let i = 0; i < 3000; i++) add(seen, `gone${i}`);
    expect(found(seen, 'gone7')).toBe('gone7');
    seen.rolledBack();
    expect([found(seen, 'kept'), found(seen, 'gone7'), seen.keys]).toEqual(['kept', undefined, 1]);
    write(db, seen, () => add(seen, 'gone7'));
    expect(found(openSeenIndex(db), 'gone7')).toBe('gone7');
  });

  it('finds every key while a run is being written, after a rollback, and after an end in the middle', () => {
    const db = database();
    const seen = openSeenIndex(db, 100);
    const keys: string[] = [];
    const more = (count: number) =>
      write(db, seen, () => {
        for (let i = 0; i < count; i++) add(seen, `key ${keys.push('') - 1}`, 50 * HOUR);
      });
    const missing = (index: SeenIndex) =>
      keys.map((_, i) => `key ${i}`).filter((key) => found(index, key) !== key);
    more(100);
    let parts = 0;
    for (; seen.ripe; parts++) {
      db.exec('BEGIN');
      expect(seen.seal(0)).toBe(true);
      db.exec('ROLLBACK');
      seen.rolledBack();
      write(db, seen, () => seen.seal(0));
      more(5);
      expect(missing(seen)).toEqual([]);
      db.exec('SAVEPOINT looking');
      expect(missing(openSeenIndex(db, 100))).toEqual([]);
      db.exec('ROLLBACK TO looking; RELEASE looking');
    }
    expect([parts, seen.keys]).toEqual([8, 140]);
    more(100);
    write(db, seen, () => seen.seal(0));
    // As after a crash: what was written of the second run is of no use, and in nobody's way.
    const again = openSeenIndex(db, 100);
    expect([missing(again), again.keys]).toEqual([[], 240]);
    while (again.ripe) write(db, again, () => again.seal(0));
    expect(missing(again)).toEqual([]);
    expect(missing(openSeenIndex(db, 100))).toEqual([]);
  });

  it('makes runs of what has left memory, and drops them with their rows when the last window has passed', () => {
    const db = database();
    const seen = openSeenIndex(db, 100);
    for (let group = 0; group < 30; group++) {
      write(db, seen, () => {
        for (let i = 0; i < 20; i++) add(seen, `${group}/${i}`, i % 2 === 0 ? HOUR : 50 * HOUR);
      });
      while (seen.ripe) write(db, seen, () => seen.seal(0));
    }
    const count = (table: string): unknown =>
      Object.values(db.prepare(`SELECT count(*) FROM ${table}`).get() ?? {})[0];
    expect(count('run')).toBe(6);
    for (const index of [seen, openSeenIndex(db, 100)]) {
      expect([found(index, '0/0'), found(index, '29/19'), found(index, '30/0')]).toEqual([
        '0/0',
        '29/19',
        undefined,
      ]);
    }
    expect(found(seen, '0/0', T + HOUR)).toBeUndefined();
    for (let more = true; more; )
      write(db, seen, () => (more = seen.seal(T + 50 * HOUR) || seen.expire(T + 50 * HOUR)));
    expect([count('run'), count('chunk'), count('seen'), seen.keys]).toEqual([0, 0, 0, 0]);
  });

  it('keeps keys together whose windows are within a factor of two', () => {
    expect([1, HOUR, 2 * HOUR - 1, 2 * HOUR, 24 * HOUR].map(windowClass)).toEqual([0, 1, 1, 2, 5]);
  });
});

describe('the fingerprints', () => {
  interface NamedRun {
    readonly name: string;
  }
  const keysOf = (count: number): Uint32Array =>
    new Uint32Array(
      Array.from({ length: count }, (_, i) => [
        ...new Uint32Array(hash('sha256', `${i}`, 'buffer').buffer.slice(0, 16)),
      ]).flat(),
    );

  it('lead to the runs that hold a key, and to none for one that no run holds', () => {
    const words = keysOf(12_000);
    const fingerprints = createFingerprints<NamedRun>(500);
    const found = (i: number): string[] => {
      const runs: NamedRun[] = [];
      fingerprints.find(words.subarray(i * 4, i * 4 + 4), runs);
      return runs.map(({ name }) => name);
    };
    const runs = Array.from({ length: 20 }, (_, run) => ({ name: String(run) }));
    for (const [i, run] of runs.entries()) fingerprints.add(run, words.subarray(i * 500 * 4), 500);
    fingerprints.add({ name: 'again' }, words, 3);
    expect(found(2)).toEqual(['0', 'again']);
    for (let run = 0; run < 20; run++) {
      for (let i = 3; i < 500; i++) expect(found(run * 500 + i)).toEqual([String(run)]);
    }
    for (let i = 10_000; i < 12_000; i++) expect(found(i)).toEqual([]);
    for (const run of runs) fingerprints.drop(run);
    expect([found(2), found(700)]).toEqual([['again'], []]);
  });

  it('take a run larger than they were made for', () => {
    const words = keysOf(5000);
    const fingerprints = createFingerprints<NamedRun>(8);
    fingerprints.add({ name: 'large' }, words, 5000);
    const runs: NamedRun[] = [];
    for (let i = 0; i < 5000; i++) fingerprints.find(words.subarray(i * 4, i * 4 + 4), runs);
    expect(runs).toHaveLength(5000);
  });
});

describe('the table of keys', () => {
  it('finds the valid one of several entries of a key', () => {
    const table = createKeyTable();
    const key = new Uint32Array(hash('sha256', 'k', 'buffer').buffer.slice(0, 16));
    table.add(key, 1, 10, T);
    table.add(key, 2, 20, T + 1);
    expect([table.find(key, T - 1), table.find(key, T), table.find(key, T + 1)]).toEqual([0, 1, -1]);
  });
});
