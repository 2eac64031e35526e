import { byteas, int8s } from './binary-array.ts';
import { type Queries, send } from './queries.ts';

/** Bytes of one hash. */
const WIDTH = 4;
/** Hashes of one row: it stays on its page. */
const LONGEST = 400;
const MARK = '"id":"';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const PUT = {
  name: 'id-blocks-put',
  text: 'INSERT INTO id_block SELECT * FROM unnest($1::int8[], $2::bytea[])',
};

/** An event as it is noted here: its number, and its attributes as JSON text. */
export interface Noted {
  readonly id: number;
  readonly attributes: string;
}

/** Hashes of the ids of events that have numbers one after the other, from `first` on. */
export interface IdBlock {
  readonly first: number;
  readonly hashes: Uint8Array;
}

/** The blocks of events that come in the order of their numbers. */
export function blocksOf(events: readonly Noted[]): readonly IdBlock[] {
  const blocks: IdBlock[] = [];
  for (let from = 0; from < events.length; ) {
    const first = events[from]?.id ?? 0;
    let to = from + 1;
    while (to - from < LONGEST && events[to]?.id === first + to - from) to++;
    const hashes = Buffer.allocUnsafe((to - from) * WIDTH);
    for (let i = from; i < to; i++)
      hashes.writeUInt32BE(hashIn(events[i]?.attributes ?? ''), (i - from) * WIDTH);
    blocks.push({ first, hashes });
    from = to;
  }
  return blocks;
}

/** Notes the ids of events, in the transaction that writes them. */
export function noteIds(on: Queries, events: readonly Noted[]): void {
  const blocks = blocksOf(events);
  const values = [int8s(blocks.map(({ first }) => first)), byteas(blocks.map(({ hashes }) => hashes))];
  send(on, { ...PUT, values });
}

/** The bytes that a block with this id has. */
export function wantedBytes(id: string): Buffer {
  const text = JSON.stringify(id);
  const wanted = Buffer.allocUnsafe(WIDTH);
  wanted.writeUInt32BE(hashOf(text, 1, text.length - 1));
  return wanted;
}

/** Numbers of the block's events that may have the id, newest first. */
export function eventsIn({ first, hashes }: IdBlock, wanted: Buffer): readonly number[] {
  const bytes = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length);
  const found: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1))
    if (at % WIDTH === 0) found.push(first + at / WIDTH);
  return found.toReversed();
}

/**
 * The hash of the id in attributes as JSON; 0: there is none. A quotation mark within a value is escaped, so what looks
 * like the attribute's name is it.
 */
function hashIn(attributes: string): number {
  const mark = attributes.indexOf(MARK);
  if (mark < 0) return 0;
  const start = mark + MARK.length;
  let end = start;
  while (end < attributes.length && attributes.charCodeAt(end) !== QUOTE)
    end += attributes.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return hashOf(attributes, start, end);
}

/** FNV-1a over the text's units, never 0. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
