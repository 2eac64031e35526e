/** Characters of an RFC 9110 token. */
const TOKEN = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** Where the token that begins at `from` ends. */
function tokenEnd(text: string, from: number): number {
  let at = from;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  return at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

/** Where the quoted string that begins at `from` ends, or -1. */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at++;
    else if ((code < 0x20 && code !== 9) || code > 0x7e) return -1;
  }
  return -1;
}

/** Where the parameter that begins at `from` ends, or -1. */
function parameterEnd(text: string, from: number): number {
  const equals = tokenEnd(text, from);
  if (equals === from || text[equals] !== '=') return -1;
  const value = equals + 1;
  if (text[value] === '"') return quotedEnd(text, value);
  const end = tokenEnd(text, value);
  return end === value ? -1 : end;
}

/** Whether `text` is a media type with optional parameters (RFC 2046, as RFC 9110 8.3.1 writes it). */
export function isMediaType(text: string): boolean {
  if (text === 'application/json') return true;
  const slash = tokenEnd(text, 0);
  const subtype = tokenEnd(text, slash + 1);
  if (slash === 0 || text[slash] !== '/' || subtype === slash + 1) return false;
  let at = skipSpace(text, subtype);
  while (at < text.length) {
    if (text[at] !== ';') return false;
    at = skipSpace(text, at + 1);
    // A lone semicolon is a slip that many senders make and no one misreads.
    if (at < text.length && text[at] !== ';') at = parameterEnd(text, at);
    if (at < 0) return false;
    at = skipSpace(text, at);
  }
  return true;
}

/** The media type without parameters, in lower case. */
export function essence(text: string): string {
  if (text === 'application/json') return text;
  const semicolon = text.indexOf(';');
  return (semicolon === -1 ? text : text.slice(0, semicolon)).trim().toLowerCase();
}

/** Whether data of this media type is JSON; none at all means JSON too (CloudEvents JSON format 3.1). */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === 'application/json') return true;
  const type = essence(contentType);
  return type.endsWith('/json') || type.endsWith('+json');
}

const TEXTUAL = new Set([
  'application/xml',
  'application/x-www-form-urlencoded',
  'application/javascript',
  'application/yaml',
  'application/toml',
  'application/sql',
  'application/graphql',
]);

/** Whether data of this media type is text in UTF-8, so that a JSON string holds it. */
export function isUtf8Text(contentType: string): boolean {
  const type = essence(contentType);
  if (!type.startsWith('text/') && !type.endsWith('+xml') && !type.endsWith('+yaml') && !TEXTUAL.has(type))
    return false;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}
