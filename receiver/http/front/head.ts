import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHead } from '../intake.ts';

/** The head of a plain request. */
export interface PlainHead extends RequestHead {
  /** Where the body begins. */
  readonly bodyAt: number;
  readonly bodyLength: number;
  /** The sender wants the connection closed after the answer. */
  readonly close: boolean;
}

/**
 * Reads the head that begins at `start`. `partial`: all that is there may be the beginning of a plain head. `other`: it is
 * none, whatever else it may be.
 */
export type ReadHead = (bytes: Buffer, start: number) => PlainHead | 'partial' | 'other';

/** More headers than that are for `node:http`, and longer names. */
const MOST_HEADERS = 64;
const LONGEST_NAME = 64;
/** Names that are remembered; then it begins anew. */
const MOST_NAMES = 1024;

const TAB = 0x09;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const LINE_END = Buffer.from('\r\n');

const BEGINNING = Buffer.from('POST /');
const VERSION = Buffer.from(' HTTP/1.1\r\n');

/** RFC 9110 5.6.2: what a header's name is made of. */
const TOKEN = tableOf("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** RFC 3986: what path and query are made of. */
const TARGET = tableOf("/?%-._~!$&'()*+,;=:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** RFC 9110 5.6.3: what may stand around a value. */
const BLANK = tableOf(' \t');
/** RFC 9110 5.5: visible characters, bytes beyond ASCII, and white space between them. */
const VALUE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === TAB || (byte >= SPACE && byte !== 0x7f) ? 1 : 0,
);

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) table[byte] = 1;
  return table;
}

/**
 * Headers that change how a message is framed or who speaks next, the one that node:http makes a list of, and names that
 * objects have of their own.
 */
const OTHERS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'expect',
  'http2-settings',
  'proxy-connection',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const LENGTH = /^(?:0|[1-9]\d{0,8})$/;

/**
 * Makes a reader of plain heads: POST, an origin-form target, HTTP/1.1, every line ended by CRLF, names and values as RFC
 * 9110 has them, no header twice, a Host, one Content-Length, and nothing else that bears on the framing. Whatever it
 * takes, `node:http` would take, and give the same strings: it is a part of the grammar, never another.
 */
export function createHeadReader(): ReadHead {
  /** Where each header's name begins and ends, and its value. */
  const spans = new Uint32Array(MOST_HEADERS * 4);
  const names = createNames();

  /** Walks over one header and its CRLF; answers where the next line begins, 0: the bytes end, -1: it is no header. */
  function header(bytes: Buffer, from: number, span: number): number {
    const nameEnd = walk(bytes, from, TOKEN);
    if (nameEnd === bytes.length) return 0;
    if (nameEnd === from || bytes[nameEnd] !== COLON) return -1;
    const valueAt = walk(bytes, nameEnd + 1, BLANK);
    const at = walk(bytes, valueAt, VALUE);
    const ended = matches(bytes, at, LINE_END);
    if (ended !== true) return ended === 'partial' ? 0 : -1;
    spans[span] = from;
    spans[span + 1] = nameEnd;
    spans[span + 2] = valueAt;
    spans[span + 3] = withoutBlanks(bytes, valueAt, at);
    return at + 2;
  }

  return (bytes, start) => {
    const begun = matches(bytes, start, BEGINNING);
    if (begun !== true) return begun;
    const targetEnd = walk(bytes, start + BEGINNING.length, TARGET);
    const versed = matches(bytes, targetEnd, VERSION);
    if (versed !== true) return versed;
    let at = targetEnd + VERSION.length;
    let count = 0;
    while (bytes[at] !== CR) {
      if (count === MOST_HEADERS) return 'other';
      at = header(bytes, at, count * 4);
      if (at <= 0) return at === 0 ? 'partial' : 'other';
      count++;
    }
    const ended = matches(bytes, at, LINE_END);
    return ended !== true ? ended : plainHead(bytes, { start, targetEnd, headEnd: at, spans, count }, names);
  };
}

interface Spans {
  readonly start: number;
  readonly targetEnd: number;
  /** Where the empty line begins. */
  readonly headEnd: number;
  readonly spans: Uint32Array;
  readonly count: number;
}

/** Whether the bytes go on as expected; those that are not there yet may still. */
function matches(bytes: Buffer, from: number, expected: Buffer): true | 'partial' | 'other' {
  for (let i = 0; i < expected.length; i++) {
    if (from + i >= bytes.length) return 'partial';
    if (bytes[from + i] !== expected[i]) return 'other';
  }
  return true;
}

/** Where the bytes of that kind end. */
function walk(bytes: Buffer, from: number, kind: Uint8Array): number {
  let at = from;
  while (at < bytes.length && kind[bytes[at] as number] === 1) at++;
  return at;
}

/** Where a value ends without the white space behind it. */
function withoutBlanks(bytes: Buffer, from: number, end: number): number {
  let at = end;
  while (at > from && BLANK[bytes[at - 1] as number] === 1) at--;
  return at;
}

function plainHead(
  bytes: Buffer,
  { start, targetEnd, headEnd, spans, count }: Spans,
  names: Names,
): PlainHead | 'other' {
  const text = bytes.toString('latin1', start, headEnd);
  const headers: IncomingHttpHeaders = {};
  names.begin();
  for (let span = 0; span < count * 4; span += 4) {
    const name = names.take(bytes, spans[span] as number, spans[span + 1] as number);
    if (name === undefined) return 'other';
    headers[name] = text.slice((spans[span + 2] as number) - start, (spans[span + 3] as number) - start);
  }
  const length = headers['content-length'];
  if (headers.host === undefined || length === undefined || !LENGTH.test(length)) return 'other';
  const close = closes(headers.connection);
  if (close === undefined) return 'other';
  return {
    method: 'POST',
    url: text.slice(BEGINNING.length - 1, targetEnd - start),
    headers,
    bodyAt: headEnd + 2,
    bodyLength: Number(length),
    close,
  };
}

/** What `Connection` says; undefined where it says something else as well. */
function closes(connection: string | undefined): boolean | undefined {
  if (connection === undefined) return false;
  const option = connection.toLowerCase();
  if (option === 'close') return true;
  return option === 'keep-alive' ? false : undefined;
}

/** The names of a head's headers. */
interface Names {
  /** Begins a head. */
  begin(): void;
  /**
   * The next name in lower case, which stands in `bytes` from `from` to `to`; undefined where it is not plain, or was taken
   * since `begin`.
   */
  take(bytes: Buffer, from: number, to: number): string | undefined;
}

interface Name {
  readonly lower: string;
  /** The head that had it last. */
  head: number;
}

interface Spelling {
  readonly text: string;
  readonly name: Name;
}

/**
 * Senders spell a few dozen names over and over, and mostly in the same order: what stood there in the head before is
 * compared first, and else each is looked up once as it is spelled. No name is made anew.
 */
function createNames(): Names {
  const spellings = new Map<string, Spelling>();
  const names = new Map<string, Name>();
  /** By their places in a head. */
  const expected: Spelling[] = [];
  let head = 0;
  let place = 0;

  function learn(spelled: string): Spelling {
    const lower = spelled.toLowerCase();
    let name = names.get(lower);
    if (name === undefined) {
      name = { lower, head: 0 };
      names.set(lower, name);
    }
    const spelling = { text: spelled, name };
    spellings.set(spelled, spelling);
    return spelling;
  }

  function look(bytes: Buffer, from: number, to: number): Spelling | undefined {
    const spelled = bytes.toString('latin1', from, to);
    const known = spellings.get(spelled);
    if (known !== undefined) return known;
    if (spelled.length > LONGEST_NAME || OTHERS.has(spelled.toLowerCase())) return undefined;
    return learn(spelled);
  }

  return {
    begin() {
      head += 1;
      place = 0;
      if (spellings.size <= MOST_NAMES) return;
      spellings.clear();
      names.clear();
      expected.length = 0;
    },
    take(bytes, from, to) {
      let spelling = expected[place];
      if (spelling === undefined || !spells(bytes, from, to, spelling.text)) {
        spelling = look(bytes, from, to);
        if (spelling === undefined) return undefined;
        expected[place] = spelling;
      }
      place += 1;
      const { name } = spelling;
      if (name.head === head) return undefined;
      name.head = head;
      return name.lower;
    },
  };
}

/** Whether the bytes are that text, of one byte for each character. */
function spells(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
