const PAIRED = /[\ud800-\udfff]/;

/**
 * A text by characters, as CESQL counts them: Unicode's, not UTF-16's units. Where the two are the same, which is nearly
 * always, the text itself serves.
 */
export function charactersOf(text: string): string | readonly string[] {
  return PAIRED.test(text) ? Array.from(text) : text;
}

/** White_Space of Unicode, without the byte order mark that `String.prototype.trim` adds, and with U+0085. */
const SPACE = /^\p{White_Space}$/u;

/** A text without white space at its ends (CESQL 1.0.0 section 3.5.1, TRIM). */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start++;
  while (end > start && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
