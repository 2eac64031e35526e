/** A piece of the source. `word` is a keyword, an attribute or a function; `text` is as written. */
export interface Token {
  readonly kind: 'word' | 'integer' | 'string' | 'symbol' | 'end';
  readonly text: string;
  /** A string's content, quotes and escaped quotes undone. */
  readonly content?: string;
  readonly start: number;
  readonly end: number;
}

/** The source is no CESQL; `position` is where, counted in UTF-16 units from 0. */
export class SyntaxFault extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.name = 'SyntaxFault';
    this.position = position;
  }
}

const SPACE = /[ \t\r\n]*/y;
const INTEGER = /\d+(?![A-Za-z0-9_])/y;
const WORD = /[A-Za-z0-9][A-Za-z0-9_]*/y;
const STRING = /'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"/y;
const SYMBOL = /<=|>=|<>|!=|[=<>+\-*/%(),]/y;

/** Cuts a source into tokens (CESQL 1.0.0 section 2), the last of kind `end`. Throws SyntaxFault. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  for (;;) {
    at += take(SPACE)?.length ?? 0;
    if (at >= source.length) {
      tokens.push({ kind: 'end', text: 'the end', start: at, end: at });
      return tokens;
    }
    const token = next(take, at);
    if (token === undefined) throw new SyntaxFault(unreadable(source.charAt(at)), at);
    tokens.push(token);
    at = token.end;
  }
}

function next(take: (pattern: RegExp) => string | undefined, start: number): Token | undefined {
  for (const [kind, pattern] of KINDS) {
    const text = take(pattern);
    if (text === undefined) continue;
    const token = { kind, text, start, end: start + text.length } as const;
    return kind === 'string' ? { ...token, content: contentOf(text) } : token;
  }
  return undefined;
}

const KINDS = [
  ['integer', INTEGER],
  ['word', WORD],
  ['string', STRING],
  ['symbol', SYMBOL],
] as const;

/** A backslash escapes the quote that the text is in; before anything else it is a character of its own. */
function contentOf(text: string): string {
  const quote = text.charAt(0);
  return text.slice(1, -1).replace(/\\([^])/g, (pair, after: string) => (after === quote ? quote : pair));
}

function unreadable(character: string): string {
  if (character === "'" || character === '"') return `the text that begins here has no closing ${character}`;
  return `${JSON.stringify(character)} means nothing here`;
}
