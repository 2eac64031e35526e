import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { addToFilter, createFilter, mayHold } from './filter.ts';
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

describe('the filter', () => {
  it('never misses a key, and lets few strangers pass', () => {
    const words = new Uint32Array(4 * 20_000);
    for (let i = 0; i < 20_000; i++) words.set(wordsOf(`k${i}`), i * 4);
    const filter = createFilter(10_000);
    for (let i = 0; i < 10_000; i++) addToFilter(filter, words, i * 4);
    const passed = Array.from({ length: 20_000 }, (_, i) =>
      mayHold(filter, words.subarray(i * 4, i * 4 + 4)),
    );
    expect(passed.slice(0, 10_000).every(Boolean)).toBe(true);
    expect(passed.slice(10_000).filter(Boolean).length).toBeLessThan(50);
  });
});

describe('the table of keys', () => {
  it('finds the valid one of several entries of a key', () => {
    const table = createKeyTable();
    const key = wordsOf('k');
    table.add(key, 1, 10, T);
    table.add(key, 2, 20, T + 1);
    expect([table.find(key, T - 1), table.find(key, T), table.find(key, T + 1)]).toEqual([0, 1, -1]);
  });
});

function wordsOf(text: string): Uint32Array {
  return new Uint32Array(hash('sha256', text, 'buffer').buffer.slice(0, 16));
}
