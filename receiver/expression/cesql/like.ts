import type { Budget } from '../budget.ts';

/** A compiled pattern of LIKE. */
export interface LikePattern {
  matches(text: string, budget: Budget): boolean;
  /** The one text that it stands for, where it has no wildcard. */
  readonly exact: string | undefined;
  /** What each match begins with; may be empty. */
  readonly prefix: string;
}

/** Between two `%`: texts with one character of any kind between each two of them. */
type Segment = readonly [string, ...string[]];

/**
 * Compiles a pattern of LIKE (CESQL 1.0.0 section 3.4.3): `%` is any number of characters, `_` is one, a backslash
 * takes either of them literally and is a character of its own before anything else. It is matched piece by piece from
 * the left, so that it never goes back: at worst each piece is looked for once at each place.
 */
export function compileLike(pattern: string): LikePattern {
  const segments = segmentsOf(pattern);
  const [first] = segments;
  const last = segments.at(-1) ?? first;
  const prefix = first[0];
  if (segments.length === 1) {
    if (first.length === 1) return { matches: (text) => text === prefix, exact: prefix, prefix };
    return { matches: (text) => forward(text, 0, first) === text.length, exact: undefined, prefix };
  }
  const between = segments
    .slice(1, -1)
    .filter((segment) => segment.length > 1 || segment[0] !== '')
    .map(sought);
  return {
    matches: (text, budget) => {
      let from = forward(text, 0, first);
      if (from < 0) return false;
      const to = backward(text, last);
      if (to < from) return false;
      for (const find of between) {
        from = find(text, from, budget);
        if (from < 0 || from > to) return false;
      }
      return true;
    },
    exact: undefined,
    prefix,
  };
}

function segmentsOf(pattern: string): readonly [Segment, ...Segment[]] {
  const segments: [[string, ...string[]], ...[string, ...string[]][]] = [['']];
  let texts = segments[0];
  for (const [token] of pattern.matchAll(/\\[%_]|[^]/gu)) {
    if (token === '%') segments.push((texts = ['']));
    else if (token === '_') texts.push('');
    else texts[texts.length - 1] += token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
  }
  return segments;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Where the character at `at` ends; one past the text's end where there is none. */
function after(text: string, at: number): number {
  return isHighSurrogate(text.charCodeAt(at)) ? at + 2 : at + 1;
}

function before(text: string, at: number): number {
  return isLowSurrogate(text.charCodeAt(at - 1)) ? at - 2 : at - 1;
}

/** Where a segment ends that begins at `from`, or -1 where it does not stand there. */
function forward(text: string, from: number, segment: Segment): number {
  let at = from;
  for (let i = 0; i < segment.length; i++) {
    if (i > 0) at = after(text, at);
    const part = segment[i] ?? '';
    if (at > text.length || !text.startsWith(part, at)) return -1;
    at += part.length;
  }
  return at;
}

/** Where a segment begins that ends with the text, or -1. */
function backward(text: string, segment: Segment): number {
  let at = text.length;
  for (let i = segment.length - 1; i >= 0; i--) {
    const part = segment[i] ?? '';
    if (!text.endsWith(part, at)) return -1;
    at -= part.length;
    if (i > 0) at = before(text, at);
    if (at < 0) return -1;
  }
  return at;
}

/** Where the first occurrence of a segment at or after `from` ends, or -1. */
type Find = (text: string, from: number, budget: Budget) => number;

function sought(segment: Segment): Find {
  const [only] = segment;
  const { length } = only;
  if (segment.length === 1) {
    return (text, from, budget) => {
      budget.spend(((text.length - from) * Math.max(length, 4)) / 64);
      const at = text.indexOf(only, from);
      return at < 0 ? -1 : at + length;
    };
  }
  // Steps for one look: each text costs a call, and long ones their length.
  const look = segment.reduce((steps, part) => steps + 0.25 + part.length / 64, 0);
  return (text, from, budget) => {
    for (let at = from; at < text.length; at = after(text, at)) {
      budget.spend(look);
      const end = forward(text, at, segment);
      if (end >= 0) return end;
    }
    return -1;
  };
}
