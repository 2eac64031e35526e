import { type Found, missing } from './found.ts';
import type { SecretKeyReference } from './resources.ts';

/** A Secret's decoded data by key. */
export type SecretData = Readonly<Record<string, Uint8Array>>;

/** The Secrets of one namespace. */
export type SecretLookup = (name: string) => Found<SecretData>;

/** A reference that leads to nothing, as its condition tells it. */
export interface Missing {
  readonly reason: 'SecretNotFound' | 'SecretKeyMissing';
  readonly field: string;
  readonly message: string;
}

export type SecretValue =
  | { readonly ok: true; readonly value: Buffer }
  | { readonly ok: false; readonly missing: Missing };

/** Follows a `secretKeyRef`. An empty value counts as missing: anyone could sign with it. */
export function readSecret(ref: SecretKeyReference, field: string, secrets: SecretLookup): SecretValue {
  const data = secrets(ref.name);
  if (data === undefined || data === 'Invalid') {
    const reason = data === 'Invalid' ? 'SecretKeyMissing' : 'SecretNotFound';
    const message = missing('Secret', ref.name, data);
    return { ok: false, missing: { reason, field: `${field}.secretKeyRef.name`, message } };
  }
  const value = Object.hasOwn(data, ref.key) ? data[ref.key] : undefined;
  if (value !== undefined && value.length > 0) return { ok: true, value: Buffer.from(value) };
  const what = value === undefined ? 'has no key' : 'is empty under the key';
  const message = `Secret "${ref.name}" ${what} "${ref.key}": add it there, or name another key`;
  return { ok: false, missing: { reason: 'SecretKeyMissing', field: `${field}.secretKeyRef.key`, message } };
}
