import { isUtf8 } from 'node:buffer';
import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { KeyMaterial } from '../routing/table.ts';
import { decodeBase64, decodeBase64Url, isHex } from './encoding.ts';

/** How the text of a Secret becomes the key's bytes. */
export type KeyEncoding = 'UTF8' | 'Base64' | 'Hex';

/** A key ready to use. */
export interface Key {
  readonly name: string;
  readonly bytes: Buffer;
  /** Milliseconds since the epoch; from then on the key no longer counts. */
  readonly notAfter: number;
}

/** When the last of an endpoint's keys ends; Infinity where one has no end, and where there is none at all. */
export function lastEnd(keys: readonly KeyMaterial[]): number {
  if (keys.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(...keys.map(({ notAfter = Number.POSITIVE_INFINITY }) => notAfter));
}

/** Why no key in force fits, for the decision record: `ended` names a key that would have, were it not past its end. */
export function noMatch(ended: string | undefined): string {
  return ended === undefined ? 'no key matched' : `key "${ended}" matched, past its notAfter`;
}

type Decoder = (text: string) => Buffer | undefined;

/** A Secret made from a file often ends in a newline, which is the file's and not the key's. */
export function withoutLineEnds(text: string): string {
  return text.replace(/[\r\n]+$/, '');
}

/** Bytes that are no text stay as they are: their last one may look like a line end. */
function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? Buffer.from(withoutLineEnds(text), 'latin1') : bytes;
}

const DECODERS: Readonly<Record<KeyEncoding, Decoder>> = {
  UTF8: textBytes,
  // Providers show keys in either alphabet.
  Base64: (text) => decodeBase64(text.trim()) ?? decodeBase64Url(text.trim()),
  Hex: (text) => (isHex(text.trim()) ? Buffer.from(text.trim(), 'hex') : undefined),
};

/**
 * Decodes the keys of a scheme. `prefix` is cut from a key that has it. Findings are below `${path}.secrets`;
 * they never quote a key.
 */
export function decodeKeys(
  keys: readonly KeyMaterial[],
  how: { readonly encoding: KeyEncoding; readonly prefix: string },
  path: string,
): Compiled<readonly Key[]> {
  const findings: Finding[] = [];
  const decoded: Key[] = [];
  for (const [i, key] of keys.entries()) {
    const text = Buffer.from(key.secret, 'base64').toString('latin1');
    const bytes = DECODERS[how.encoding](text.startsWith(how.prefix) ? text.slice(how.prefix.length) : text);
    const fault =
      bytes === undefined ? `is not ${how.encoding}` : bytes.length === 0 ? 'is empty' : undefined;
    if (bytes === undefined || fault !== undefined) {
      const message = `the value of key "${key.name}" ${fault}; put the key as the provider shows it into the Secret`;
      findings.push({ field: `${path}.secrets[${i}]`, message });
    } else {
      decoded.push({ name: key.name, bytes, notAfter: key.notAfter ?? Number.POSITIVE_INFINITY });
    }
  }
  return findings.length > 0 ? { ok: false, findings } : compiled(decoded);
}
