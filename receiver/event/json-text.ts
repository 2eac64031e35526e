/*
 * JSON of texts as `JSON.stringify` writes it. Nearly every attribute and name is plain ASCII: looking costs a fifth of
 * asking V8, which each event would do half a dozen times.
 */

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;

/** A text as JSON. */
export function jsonOfText(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || code > TILDE || code === QUOTE || code === BACKSLASH) return JSON.stringify(text);
  }
  return `"${text}"`;
}

/** An array of texts as JSON. */
export function jsonOfTexts(texts: readonly string[]): string {
  let json = '';
  for (const text of texts) json += json === '' ? jsonOfText(text) : `,${jsonOfText(text)}`;
  return `[${json}]`;
}

/** An object of texts as JSON. */
export function jsonOfRecord(texts: Readonly<Record<string, string>>): string {
  let json = '';
  for (const name in texts)
    json += `${json === '' ? '' : ','}${jsonOfText(name)}:${jsonOfText(texts[name] ?? '')}`;
  return `{${json}}`;
}
