import type { IncomingHttpHeaders } from 'node:http';
import { type Compiled, compiled, type Finding } from '../errors.ts';

/** What a template can name, as texts of one byte per character (as `node:http` gives header values). */
export interface ContentValues {
  readonly timestamp: string;
  readonly id: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A header by the name that people read and the one that `node:http` uses. */
export interface HeaderName {
  readonly shown: string;
  readonly lower: string;
}

export function headerName(name: string): HeaderName {
  return { shown: name, lower: name.toLowerCase() };
}

type Part = (values: ContentValues) => string;

/** What is signed: a text, the body, a text. */
export interface SignedContent {
  readonly usesTimestamp: boolean;
  readonly usesId: boolean;
  readonly usesUrl: boolean;
  /** Headers that must be there. */
  readonly headers: readonly HeaderName[];
  head(values: ContentValues): string;
  tail(values: ContentValues): string;
  /**
   * What is signed in the place of the body's bytes; where the body is none that the scheme signs, a sentence that says
   * why. Left out: the bytes themselves.
   */
  readonly body?: (body: Buffer, values: ContentValues) => Buffer | string;
}

/** The body alone, with nothing before or behind it. */
export const BODY_ALONE: SignedContent = {
  usesTimestamp: false,
  usesId: false,
  usesUrl: false,
  headers: [],
  head: () => '',
  tail: () => '',
};

const FIELDS: Readonly<Record<string, Part>> = {
  timestamp: (values) => values.timestamp,
  id: (values) => values.id,
  url: (values) => values.url,
};

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const KNOWN = '{body}, {timestamp}, {id}, {url} and {header:Name}';

/** UTF-8 bytes as a text of one byte per character. */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The value of a header as one text; repeated ones are joined as HTTP allows. */
export function headerText(headers: IncomingHttpHeaders, lowerName: string): string | undefined {
  const value = headers[lowerName];
  return typeof value === 'object' ? value.join(', ') : value;
}

function joined(parts: readonly Part[]): Part {
  const [only] = parts;
  if (only === undefined) return () => '';
  if (parts.length === 1) return only;
  return (values) => {
    let text = '';
    for (const part of parts) text += part(values);
    return text;
  };
}

/** Splits at placeholders: even items are literal, odd ones are the names between braces. */
function pieces(template: string): readonly string[] {
  return template.split(/\{([^{}]*)\}/);
}

function headerPart({ lower }: HeaderName): Part {
  return (values) => headerText(values.headers, lower) ?? '';
}

/** Compiles `signedContent`. Findings are on `field`. */
export function compileContent(template: string, field: string): Compiled<SignedContent> {
  const findings: Finding[] = [];
  const parts: { readonly head: Part[]; readonly tail: Part[] } = { head: [], tail: [] };
  const headers: HeaderName[] = [];
  const used = new Set<string>();
  let bodies = 0;
  for (const [i, piece] of pieces(template).entries()) {
    const side = bodies === 0 ? parts.head : parts.tail;
    const value = FIELDS[piece];
    if (i % 2 === 0) {
      const text = byteText(piece);
      if (text !== '') side.push(() => text);
    } else if (piece === 'body') {
      bodies++;
    } else if (value !== undefined && Object.hasOwn(FIELDS, piece)) {
      used.add(piece);
      side.push(value);
    } else if (piece.startsWith('header:') && HEADER_NAME.test(piece.slice(7))) {
      const name = headerName(piece.slice(7));
      headers.push(name);
      side.push(headerPart(name));
    } else {
      findings.push({ field, message: `{${piece}} is not known; use ${KNOWN}` });
    }
  }
  if (bodies !== 1)
    findings.push({ field, message: 'must hold {body} exactly once; what is not signed anyone can change' });
  if (findings.length > 0) return { ok: false, findings };
  return compiled({
    usesTimestamp: used.has('timestamp'),
    usesId: used.has('id'),
    usesUrl: used.has('url'),
    headers,
    head: joined(parts.head),
    tail: joined(parts.tail),
  });
}
