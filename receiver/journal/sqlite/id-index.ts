/**
 * Finds events by their attribute `id`. Of each event 32 bits of a hash are kept, in order of event numbers: a block of 4096
 * is one row. To look one up, blocks are read from the newest on and compared through: a million events are 4 MB. That
 * costs next to nothing where events are written, and no tree of random keys.
 */
import type { DatabaseSync } from 'node:sqlite';
import { number } from './database.ts';

const BLOCK = 4096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `"id":"` */
const MARK = [QUOTE, 0x69, 0x64, QUOTE, 0x3a, QUOTE] as const;

/** What was found between two numbers. */
export interface Found {
  /** Newest first. */
  readonly events: number[];
  /** Where the next look begins; undefined: nothing older is left. */
  readonly before: number | undefined;
}

export interface IdIndex {
  /** Notes an event that is being written; its attributes stand in `bytes` from `start` on. */
  add(event: number, bytes: Uint8Array, start: number, length: number): void;
  /** Writes the blocks that have become full, inside the caller's transaction. */
  write(): void;
  committed(): void;
  /** The transaction was rolled back: its events are no more. */
  rolledBack(): void;
  /** Drops blocks whose events have all gone, inside the caller's transaction. */
  dropOld(): void;
  /** Events that may have the id (one in four thousand million has another), older than `before`: one piece of the search. */
  find(id: string, before: number): Found;
}

interface Block {
  readonly number: number;
  readonly hashes: Uint32Array;
}

/** How many blocks one step looks through: some ten milliseconds at most. */
const STEP = 256;

/** Opens the index; `last` is the newest event's number. */
export function openIdIndex(db: DatabaseSync, last: () => number): IdIndex {
  const insert = db.prepare('INSERT OR REPLACE INTO id_block VALUES (?, ?)');
  const select = db.prepare('SELECT hashes FROM id_block WHERE block = ?');
  const drop = db.prepare('DELETE FROM id_block WHERE block < ?');
  const events = db.prepare('SELECT id, attributes, head FROM event WHERE id >= ? AND id < ?');
  let full: Block[] = [];
  /** Undefined: to be read again. */
  let newest: Block | undefined;

  /** A block made of its events: the newest is not written, and those of an old journal never were. */
  function read(block: number): Block {
    const hashes = new Uint32Array(BLOCK);
    for (const each of events.iterate(block * BLOCK, (block + 1) * BLOCK)) {
      const { id, attributes, head } = each as { id: number; attributes: number; head: Uint8Array };
      hashes[id % BLOCK] = hashIn(head, 0, attributes);
    }
    return { number: block, hashes };
  }

  function stored(block: number): Uint32Array | undefined {
    const row = select.get(block) as { hashes: Uint8Array } | undefined;
    return row === undefined ? undefined : new Uint32Array(row.hashes.slice().buffer);
  }

  return {
    add(event, bytes, start, length) {
      const block = blockOf(event);
      // The event before is in the table, or in this block.
      newest ??= read(blockOf(event - 1));
      if (block !== newest.number) {
        full.push(newest);
        newest = { number: block, hashes: new Uint32Array(BLOCK) };
      }
      newest.hashes[event % BLOCK] = hashIn(bytes, start, length);
    },
    write() {
      if (full.length === 0) return;
      for (const { number: block, hashes } of full) insert.run(block, new Uint8Array(hashes.buffer));
    },
    committed() {
      if (full.length > 0) full = [];
    },
    rolledBack() {
      full = [];
      newest = undefined;
    },
    dropOld() {
      const oldest = number(db, 'SELECT min(id) FROM event');
      if (oldest > 0) drop.run(blockOf(oldest));
    },
    find(id, before) {
      const text = Buffer.from(JSON.stringify(id));
      const wanted = hashOf(text, 1, text.length - 1);
      const found: number[] = [];
      newest ??= read(blockOf(last()));
      const oldest = blockOf(number(db, 'SELECT min(id) FROM event'));
      let block = Math.min(newest.number, blockOf(before - 1));
      let made = 0;
      for (let looked = 0; block >= oldest && looked < STEP && made < 2; looked++, block--) {
        let hashes = block === newest.number ? newest.hashes : stored(block);
        if (hashes === undefined) {
          hashes = read(block).hashes;
          made++;
        }
        for (let at = hashes.lastIndexOf(wanted); at >= 0; at = hashes.lastIndexOf(wanted, at - 1)) {
          const event = block * BLOCK + at;
          if (event < before) found.push(event);
          if (at === 0) break;
        }
      }
      return { events: found, before: block < oldest ? undefined : (block + 1) * BLOCK };
    },
  };
}

function blockOf(event: number): number {
  return Math.max(0, Math.floor(event / BLOCK));
}

/**
 * The hash of the id in attributes as JSON; 0: there is none. A quotation mark within a value is escaped, so what looks
 * like the attribute's name is it.
 */
function hashIn(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length - MARK.length;
  for (let at = start; at < end; at++) {
    if (
      bytes[at] === QUOTE &&
      bytes[at + 1] === MARK[1] &&
      bytes[at + 2] === MARK[2] &&
      bytes[at + 3] === QUOTE &&
      bytes[at + 4] === MARK[4] &&
      bytes[at + 5] === QUOTE
    )
      return hashOf(bytes, at + MARK.length, endOf(bytes, at + MARK.length, start + length));
  }
  return 0;
}

/** Where the text that begins at `start` ends: at the first quotation mark that is not escaped. */
function endOf(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** FNV-1a, never 0. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash >>> 0 || 1;
}
