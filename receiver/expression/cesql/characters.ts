import type { Budget } from '../budget.ts';

const PAIRED = /[\ud800-\udfff]/;

/**
 * A text by characters, as CESQL counts them: Unicode's, not UTF-16's units. Where the two are the same, which is nearly
 * always, the text itself serves.
 */
export function charactersOf(text: string, budget: Budget): string | readonly string[] {
  if (!PAIRED.test(text)) return text;
  budget.spend(text.length / 8);
  return Array.from(text);
}

/** White_Space of Unicode, which `String.prototype.trim` goes by but for U+0085 and the byte order mark. */
const SPACES = new Set(
  [9, 10, 11, 12, 13, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000].concat(
    Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ),
);

/** A text without white space at its ends (CESQL 1.0.0 section 3.5.1, TRIM). */
export function trimmed(text: string, budget: Budget): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.has(text.charCodeAt(start))) start++;
  while (end > start && SPACES.has(text.charCodeAt(end - 1))) end--;
  budget.spend((start + text.length - end) / 16);
  return text.slice(start, end);
}
