import type { WebhookSecretSpec } from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import type { Lack } from './settle.ts';

const DEFAULT_BYTES = 32;

/** A Secret to be made, and what goes into it. */
export interface SecretToMake {
  readonly name: string;
  /** The keys within the Secret, each with a value of its own. */
  readonly keys: readonly string[];
  /** Random bytes per value. */
  readonly bytes: number;
  /** How random bytes are written, so that the scheme can read them. */
  readonly form: KeyForm;
}

/** Writes random bytes as the text that a Secret holds. */
export type KeyForm = (random: Buffer) => string;

const base64url: KeyForm = (random) => random.toString('base64url');
const standard: KeyForm = (random) => `whsec_${random.toString('base64')}`;

/** Schemes whose keys are not just any text. */
const FORMS: ReadonlyMap<string, KeyForm> = new Map([
  ['StandardWebhooks', standard],
  ['SignedHeaders', standard],
  ['Basic', (random: Buffer) => `signalbox:${random.toString('base64url')}`],
]);

const ENCODINGS: Readonly<Record<'UTF8' | 'Base64' | 'Hex', KeyForm>> = {
  UTF8: base64url,
  Base64: (random) => random.toString('base64'),
  Hex: (random) => random.toString('hex'),
};

function formOf({ scheme, hmac }: WebhookSecretSpec): KeyForm {
  if (hmac === undefined) return FORMS.get(scheme) ?? base64url;
  return (random) => `${hmac.keyPrefix ?? ''}${ENCODINGS[hmac.keyEncoding ?? 'UTF8'](random)}`;
}

/**
 * The Secrets that `spec.generate` is to make: those that do not exist. One that exists is left as it is, also where it
 * lacks a key: it is its owner's.
 */
export function generated(
  spec: WebhookSecretSpec,
  secrets: SecretLookup,
): { readonly toMake?: readonly SecretToMake[] } {
  if (spec.generate === undefined) return {};
  const { bytes = DEFAULT_BYTES } = spec.generate;
  const missing = new Map<string, Set<string>>();
  for (const { secretKeyRef: ref } of spec.secrets ?? []) {
    if (secrets(ref.name) !== undefined) continue;
    missing.set(ref.name, (missing.get(ref.name) ?? new Set()).add(ref.key));
  }
  if (missing.size === 0) return {};
  return {
    toMake: [...missing].map(([name, keys]) => ({ name, keys: [...keys], bytes, form: formOf(spec) })),
  };
}

/** What is told of a missing Secret that `spec.generate` asks for. */
export function missingOf(lack: Lack, canGenerate: boolean): Lack {
  if (lack.reason === 'SecretKeyMissing')
    return { ...lack, message: `${lack.message} (spec.generate changes no Secret that exists)` };
  if (canGenerate) return { ...lack, message: 'the Secret is being made' };
  return {
    ...lack,
    message: `${lack.message}; spec.generate makes it in a cluster whose operator runs with --generate-secrets`,
  };
}
