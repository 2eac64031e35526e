import type { DatabaseSync } from 'node:sqlite';
import { createFingerprints, type Fingerprints } from './fingerprints.ts';
import type { KeyTable } from './key-table.ts';
import { CLASS_ROWS } from './seen-log.ts';
import { KEY_BYTES } from './wire.ts';

/** A run's keys are spread over so many chunks by the first bits of the key. */
const CHUNK_BITS = 9;
const CHUNKS = 1 << CHUNK_BITS;
/** A run is written in so many transactions: some milliseconds each, between which commits go on. */
export const RUN_PARTS = 8;
const CHUNKS_PER_PART = CHUNKS / RUN_PARTS;
/** Key, row (f64) and offset (u32) of its log entry. */
const ENTRY = KEY_BYTES + 8 + 4;
/** How many rows of the log one step of `expire` drops: some hundred pages. */
const ROWS_DROPPED = 64;

export interface Run {
  readonly id: number;
  readonly window: number;
  /** The rows of the log that it stands for. */
  readonly first: number;
  readonly last: number;
  /** When the last of its keys expires. */
  readonly expires: number;
  readonly keys: number;
}

export interface SeenRuns {
  /** Offers the log entries of a key, newest run first, until one is taken. */
  find<T>(key: Uint32Array, take: (row: number, offset: number) => T | undefined): T | undefined;
  /** What the next run is to be. Of one at a time. */
  plan(window: number, first: number, last: number, table: KeyTable): Run;
  /** Writes one of the run's `RUN_PARTS`, the last one last: with it the run is there. It counts after `add`. */
  write(run: Run, table: KeyTable, part: number): void;
  add(run: Run, table: KeyTable): void;
  /** The last row of a window class that a run stands for. */
  lastRow(window: number): number;
  /** Drops a piece of what has expired; answers what is to be done once that is durable. */
  expire(now: number): (() => void) | undefined;
  readonly keys: number;
}

/** Opens the sorted runs: their keys' fingerprints are read into memory, some ten milliseconds per million. */
export function createSeenRuns(db: DatabaseSync, runKeys: number): SeenRuns {
  const insertRun = db.prepare('INSERT INTO run (id, window, first, last, expires) VALUES (?, ?, ?, ?, ?)');
  const deleteRun = db.prepare('DELETE FROM run WHERE id = ?');
  const insertChunk = db.prepare('INSERT INTO chunk (id, body) VALUES (?, ?)');
  const selectChunk = db.prepare('SELECT body FROM chunk WHERE id = ?');
  const deleteChunks = db.prepare('DELETE FROM chunk WHERE id >= ? AND id < ?');
  const deleteRows = db.prepare(
    'DELETE FROM seen WHERE id IN (SELECT id FROM seen WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?)',
  );
  const sortPart = createPartSorter();
  /** Oldest first. */
  const runs: Run[] = [];
  /** By window class: what expires together goes together. */
  const fingerprints = new Map<number, Fingerprints<Run>>();
  const last = new Map<number, number>();
  let nextId = 1;
  const found: Run[] = [];
  load();

  /** Row by row, into one place: what is read is garbage at once, and of millions of keys it would be the largest there is. */
  function load(): void {
    const chunks = db.prepare('SELECT body FROM chunk WHERE id >= ? AND id < ? ORDER BY id');
    let words = new Uint32Array(runKeys * 4);
    for (const stored of db.prepare('SELECT * FROM run ORDER BY id').all() as unknown as StoredRun[]) {
      let length = 0;
      for (const chunk of chunks.iterate(stored.id * CHUNKS, (stored.id + 1) * CHUNKS)) {
        const { body } = chunk as { body: Uint8Array };
        const more = (body.length / ENTRY) * 4;
        if (length + more > words.length) words = grown(words, length + more);
        readWords(body, words, length);
        length += more;
      }
      known({ ...stored, keys: length / 4 }, words);
    }
    // Of a run that was not written to its end: its keys are in the log.
    db.prepare('DELETE FROM chunk WHERE id >= ?').run(nextId * CHUNKS);
  }

  function known(run: Run, words: Uint32Array): void {
    runs.push(run);
    last.set(run.window, Math.max(run.last, last.get(run.window) ?? 0));
    nextId = run.id + 1;
    let into = fingerprints.get(run.window);
    if (into === undefined) fingerprints.set(run.window, (into = createFingerprints(runKeys)));
    into.add(run, words, run.keys);
  }

  function forget(run: Run): void {
    runs.splice(runs.indexOf(run), 1);
    fingerprints.get(run.window)?.drop(run);
  }

  function find<T>(key: Uint32Array, take: (row: number, offset: number) => T | undefined): T | undefined {
    for (const each of fingerprints.values()) each.find(key, found);
    if (found.length === 0) return undefined;
    for (const run of found.splice(0).sort((a, b) => b.id - a.id)) {
      const taken = findIn(run, key, take);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  function findIn<T>(
    run: Run,
    key: Uint32Array,
    take: (row: number, offset: number) => T | undefined,
  ): T | undefined {
    const chunk = selectChunk.get(chunkId(run.id, key[0] ?? 0)) as { body: Uint8Array } | undefined;
    if (chunk === undefined) return undefined;
    const view = new DataView(chunk.body.buffer, chunk.body.byteOffset, chunk.body.byteLength);
    for (let at = view.byteLength - ENTRY; at >= 0; at -= ENTRY) {
      if (!sameKey(view, at, key)) continue;
      const found = take(view.getFloat64(at + KEY_BYTES, true), view.getUint32(at + KEY_BYTES + 8, true));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return {
    find,
    plan(window, first, lastRow, table) {
      let expires = 0;
      for (let i = 0; i < table.count; i++) expires = Math.max(expires, table.expires[i] ?? 0);
      return { id: nextId, window, first, last: lastRow, expires, keys: table.count };
    },
    write(run, table, part) {
      const first = part * CHUNKS_PER_PART;
      for (const [i, body] of sortPart(table, part).entries()) {
        if (body.length > 0) insertChunk.run(run.id * CHUNKS + first + i, body);
      }
      if (part === RUN_PARTS - 1) insertRun.run(run.id, run.window, run.first, run.last, run.expires);
    },
    add(run, { words }) {
      known(run, words);
    },
    lastRow: (window) => last.get(window) ?? window * CLASS_ROWS,
    expire(now) {
      const run = runs.find((each) => each.expires <= now);
      if (run === undefined) return undefined;
      if (deleteRows.run(run.first, run.last, ROWS_DROPPED).changes === ROWS_DROPPED) return () => undefined;
      deleteChunks.run(run.id * CHUNKS, (run.id + 1) * CHUNKS);
      deleteRun.run(run.id);
      return () => forget(run);
    },
    get keys() {
      return runs.reduce((sum, run) => sum + run.keys, 0);
    },
  };
}

interface StoredRun {
  id: number;
  window: number;
  first: number;
  last: number;
  expires: number;
}

function grown(words: Uint32Array, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, words.length * 2));
  larger.set(words);
  return larger;
}

/** Puts the keys in the entries of a chunk into `words` from `start` on, four words each. */
function readWords(body: Uint8Array, words: Uint32Array, start: number): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let i = start;
  for (let at = 0; at < body.length; at += ENTRY) {
    for (let word = 0; word < 4; word++) words[i++] = view.getUint32(at + 4 * word, true);
  }
}

function chunkId(run: number, word: number): number {
  return run * CHUNKS + (word >>> (32 - CHUNK_BITS));
}

function sameKey(view: DataView, at: number, key: Uint32Array): boolean {
  return (
    view.getUint32(at, true) === key[0] &&
    view.getUint32(at + 4, true) === key[1] &&
    view.getUint32(at + 8, true) === key[2] &&
    view.getUint32(at + 12, true) === key[3]
  );
}

/** Sorts a part of a table's entries into chunks; the bytes that it gives are good until it is asked again. */
type SortPart = (table: KeyTable, part: number) => readonly Uint8Array[];

/** Sorts in one place, again and again: this thread hardly makes an object, so that what is thrown away lies about for long. */
function createPartSorter(): SortPart {
  let bytes = Buffer.alloc(0);
  const ends = new Uint32Array(CHUNKS_PER_PART + 1);

  return ({ words, rows, offsets, count }, part) => {
    ends.fill(0);
    for (let i = 0; i < count; i++) {
      const word = words[i * 4] as number;
      if (partOf(word) === part) ends[chunkIn(word) + 1] = (ends[chunkIn(word) + 1] as number) + ENTRY;
    }
    for (let chunk = 0; chunk < CHUNKS_PER_PART; chunk++)
      ends[chunk + 1] = (ends[chunk + 1] as number) + (ends[chunk] as number);
    const size = ends[CHUNKS_PER_PART] as number;
    if (size > bytes.length) bytes = Buffer.alloc(size);
    for (let i = 0; i < count; i++) {
      const first = words[i * 4] as number;
      if (partOf(first) !== part) continue;
      const chunk = chunkIn(first);
      const at = ends[chunk] as number;
      for (let word = 0; word < 4; word++) bytes.writeUInt32LE(words[i * 4 + word] as number, at + 4 * word);
      bytes.writeDoubleLE(rows[i] as number, at + KEY_BYTES);
      bytes.writeUInt32LE(offsets[i] as number, at + KEY_BYTES + 8);
      ends[chunk] = at + ENTRY;
    }
    // Each has grown to where the next one began.
    return Array.from({ length: CHUNKS_PER_PART }, (_, chunk) =>
      bytes.subarray(ends[chunk - 1] ?? 0, ends[chunk]),
    );
  };
}

function partOf(word: number): number {
  return Math.floor((word >>> (32 - CHUNK_BITS)) / CHUNKS_PER_PART);
}

/** Which of its part's chunks a key is in. */
function chunkIn(word: number): number {
  return (word >>> (32 - CHUNK_BITS)) % CHUNKS_PER_PART;
}
