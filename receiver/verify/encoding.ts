const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** Whether `text` is hexadecimal, in any case. */
export function isHex(text: string): boolean {
  return HEX.test(text);
}

/** Base64 without its padding; empty where the padding is not the right one. */
function unpadded(text: string): string {
  if (!text.endsWith('=')) return text;
  if (text.length % 4 !== 0) return '';
  return text.slice(0, text.endsWith('==') ? -2 : -1);
}

/**
 * Decodes standard Base64 (RFC 4648 4), padded or not. `undefined` where a character is foreign, the padding is wrong
 * or stray bits are left: what comes back must be what was written.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bare = unpadded(text);
  const bytes = Buffer.from(bare, 'base64');
  return unpadded(bytes.toString('base64')) === bare && (bare !== '' || text === '') ? bytes : undefined;
}

/** Decodes Base64 in the alphabet that is safe in URLs (RFC 4648 5), as strictly. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bare = unpadded(text);
  const bytes = Buffer.from(bare, 'base64url');
  return bytes.toString('base64url') === bare && (bare !== '' || text === '') ? bytes : undefined;
}

function base64Length(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

/** How a digest is written in a header. */
export interface DigestEncoding {
  /** Node's name for it. */
  readonly node: 'hex' | 'base64' | 'base64url';
  /** The one form that digests are compared in: lower-case hex, unpadded Base64. */
  canonical(text: string): string;
  /** How long that form of a digest of so many bytes is. */
  canonicalLength(bytes: number): number;
  /** How it is written when we sign. */
  written(canonical: string): string;
}

/**
 * Digests are compared as text in canonical form and not decoded: a decoder takes several texts for the same bytes
 * (stray bits, foreign characters), so that a changed signature would still hold.
 */
export const DIGEST_ENCODINGS: Readonly<Record<'Hex' | 'Base64' | 'Base64URL', DigestEncoding>> = {
  Hex: {
    node: 'hex',
    canonical: (text) => text.toLowerCase(),
    canonicalLength: (bytes) => bytes * 2,
    written: (text) => text,
  },
  Base64: {
    node: 'base64',
    canonical: unpadded,
    canonicalLength: base64Length,
    written: (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '='),
  },
  Base64URL: {
    node: 'base64url',
    canonical: unpadded,
    canonicalLength: base64Length,
    written: (text) => text,
  },
};
