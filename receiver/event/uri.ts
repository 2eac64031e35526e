/** What a character may be in a URI (RFC 3986): 1 anywhere, 2 only as `%` with two hexadecimal digits, 3 `[` and `]`, 4 `#`. */
const CLASS = new Uint8Array(128);
for (const character of "-._~:/?@!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  CLASS[character.charCodeAt(0)] = 1;
}
CLASS[0x25] = 2;
CLASS[0x5b] = 3;
CLASS[0x5d] = 3;
CLASS[0x23] = 4;

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 102);
}

/** Length of the scheme without its colon; 0 where there is none; -1 where a colon stands that no scheme ends. */
function schemeLength(text: string): number {
  const end = text.search(/[:/?#]/);
  if (end === -1 || text[end] !== ':') return 0;
  return /^[A-Za-z][A-Za-z0-9+.-]*$/.test(text.slice(0, end)) ? end : -1;
}

/** Where the authority lies, which alone may hold brackets. */
function authority(text: string, afterScheme: number): readonly [from: number, to: number] {
  if (!text.startsWith('//', afterScheme)) return [0, 0];
  const end = text.slice(afterScheme + 2).search(/[/?#]/);
  return [afterScheme + 2, end === -1 ? text.length : afterScheme + 2 + end];
}

function bracketsFit(text: string, afterScheme: number): boolean {
  const [from, to] = authority(text, afterScheme);
  const open = text.indexOf('[');
  const close = text.lastIndexOf(']');
  if (open === -1 || close < open || open < from || close >= to) return false;
  return text.lastIndexOf('[') === open && text.indexOf(']') === close;
}

/** Where the first character stands that no URI may hold there, or -1. Brackets are counted in `seen`. */
function firstFault(text: string, seen: { brackets: boolean }): number {
  let hashes = 0;
  for (let at = 0; at < text.length; at++) {
    const kind = CLASS[text.charCodeAt(at)];
    if (kind === 1) continue;
    if (kind === 2 && isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2))) at += 2;
    else if (kind === 3) seen.brackets = true;
    else if (kind !== 4 || ++hashes > 1) return at;
  }
  return -1;
}

/** Whether `text` is a URI-reference (RFC 3986 4.1). */
export function isUriReference(text: string): boolean {
  const seen = { brackets: false };
  if (firstFault(text, seen) !== -1) return false;
  const scheme = schemeLength(text);
  if (scheme === -1) return false;
  return !seen.brackets || bracketsFit(text, scheme === 0 ? 0 : scheme + 1);
}

/** Whether `text` is a URI: a reference that has a scheme (RFC 3986 3). */
export function isUri(text: string): boolean {
  return isUriReference(text) && schemeLength(text) > 0;
}
