import type { IncomingHttpHeaders } from 'node:http';

/** The head of a plain answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the body begins. */
  readonly bodyAt: number;
  readonly bodyLength: number | 'chunked';
  /** How long the connection may rest afterwards and be used again, in milliseconds; 0: not at all. */
  readonly restMs: number;
}

/** Reads the head at the beginning of what came; undefined where it is not whole or not plain. */
export type ReadAnswerHead = (bytes: Buffer) => AnswerHead | undefined;

/** A head that is longer is for undici. */
const LONGEST_HEAD = 8192;
/** How long a connection rests where the server names no time: most close theirs after five seconds and more. */
export const REST_MS = 4000;
const LONGEST_REST_MS = 600_000;
/** So much before the end of the time that a server names, its connection is used no more: it may be closing by then. */
const MARGIN_MS = 2000;

const STATUS = /^HTTP\/1\.1 ([2-5]\d\d) [\t\x20-\x7e]*$/;
/**
 * RFC 9110 5.1, 5.5: a name, and a value of visible ASCII with white space before it and within. There is one way to match a
 * line, so that one which does not fit costs no more than one that does.
 */
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e][\t\x20-\x7e]*)?)$/;
const BLANK_AT_END = /[\t ]$/;
const LENGTH = /^\d{1,9}$/;
const TIMEOUT = /^timeout=(\d{1,6})(?:,|$)/;

/** Headers that change what follows, and names that objects have of their own. */
const OTHERS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'proxy-connection',
  'trailer',
  'upgrade',
]);

/**
 * Makes a reader of plain answers: HTTP/1.1, a final status, every line ended by CRLF, values of ASCII, one Content-Length
 * or `chunked` (or a status without a body), Connection left out or `keep-alive` or `close`, and whole in the first piece
 * that comes. Whatever it takes, undici would take, and tell the same.
 */
export function createAnswerReader(): ReadAnswerHead {
  // A target's answers differ in their date at most: the last head is read once for all that are the same.
  let lastText = '';
  let last: AnswerHead | undefined;

  return (bytes) => {
    const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
    if (end < 0 || end > LONGEST_HEAD) return undefined;
    const text = bytes.toString('latin1', 0, end);
    if (text === lastText) return last;
    lastText = text;
    last = readHead(text);
    return last;
  };
}

type Headers = Readonly<Record<string, string | string[]>>;

function readHead(text: string): AnswerHead | undefined {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(STATUS.exec(first)?.[1]);
  const headers = Number.isNaN(status) ? undefined : readHeaders(lines);
  if (headers === undefined) return undefined;
  const bodyLength = bodyLengthOf(status, headers);
  const restMs = restOf(headers);
  if (bodyLength === undefined || restMs === undefined) return undefined;
  return { status, headers, bodyAt: text.length + 4, bodyLength, restMs };
}

function readHeaders(lines: readonly string[]): Headers | undefined {
  const headers: Record<string, string | string[]> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === '' || OTHERS.has(key) || BLANK_AT_END.test(value)) return undefined;
    const before = Object.hasOwn(headers, key) ? headers[key] : undefined;
    headers[key] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** RFC 9112 6.3; undefined where something else says it than one Content-Length, or `chunked` alone. */
function bodyLengthOf(status: number, headers: Headers): number | 'chunked' | undefined {
  const hasNone = status === 204 || status === 304;
  const length = headers['content-length'];
  const coding = headers['transfer-encoding'];
  if (coding !== undefined)
    return coding === 'chunked' && length === undefined && !hasNone ? coding : undefined;
  if (length === undefined) return hasNone ? 0 : undefined;
  if (typeof length !== 'string' || !LENGTH.test(length)) return undefined;
  return hasNone && Number(length) > 0 ? undefined : Number(length);
}

/** What `Connection` and `Keep-Alive` say; undefined where they say something else as well. */
function restOf(headers: Headers): number | undefined {
  const connection = headers['connection'] ?? 'keep-alive';
  const hint = headers['keep-alive'] ?? '';
  if (typeof connection !== 'string' || typeof hint !== 'string') return undefined;
  const option = connection.toLowerCase();
  if (option === 'close') return 0;
  if (option !== 'keep-alive') return undefined;
  const seconds = TIMEOUT.exec(hint)?.[1];
  if (seconds === undefined) return REST_MS;
  return Math.max(0, Math.min(Number(seconds) * 1000 - MARGIN_MS, LONGEST_REST_MS));
}
