import type { Finding } from '../../receiver/errors.ts';
import type { EndpointEntry, Entry, KeyMaterial } from '../../receiver/routing/table.ts';
import type { Reader } from './reading.ts';
import type { WebhookSecretSpec } from './resources.ts';
import { readSecret, type SecretLookup } from './secrets.ts';
import { type Lack, tell } from './settle.ts';

/** What `spec.secrets` comes to: the keys that are there, and what is missing. */
export interface KeyRing {
  readonly keys: readonly KeyMaterial[];
  readonly lacks: readonly Lack[];
}

export function readKeys(spec: WebhookSecretSpec, secrets: SecretLookup, reader: Reader): KeyRing {
  const keys: KeyMaterial[] = [];
  const lacks: Lack[] = [];
  for (const [i, { name, secretKeyRef, notAfter }] of (spec.secrets ?? []).entries()) {
    const field = `spec.secrets[${i}]`;
    const read = readSecret(secretKeyRef, field, secrets);
    if (!read.ok) {
      lacks.push(
        spec.generate === undefined
          ? read.missing
          : { ...read.missing, ...notGenerated(read.missing.message) },
      );
      continue;
    }
    const until = notAfter === undefined ? Infinity : reader.time(notAfter, `${field}.notAfter`);
    // A key whose end cannot be read is none: it could be one that never ends.
    if (until === undefined) continue;
    const ends = until === Infinity ? {} : { notAfter: until };
    keys.push({ name, secret: read.value.toString('base64'), ...ends });
  }
  return { keys, lacks };
}

function notGenerated(message: string): Pick<Lack, 'reason' | 'message'> {
  return { reason: 'NotYetSupported', message: `${message}; spec.generate is not supported yet` };
}

/** An entry with the keys that its verifier takes, what is wrong with the others, and what is wrong beside the keys. */
export interface GoodKeys {
  readonly entry: EndpointEntry;
  readonly lacks: readonly Lack[];
  readonly findings: readonly Finding[];
}

/** Sorts out keys that the verifier refuses, so that one bad key does not take the good ones down. */
export function keepGoodKeys(
  entry: EndpointEntry,
  ring: KeyRing,
  check: (entry: Entry) => readonly Finding[],
): GoodKeys {
  if (entry.keys.length > 0) {
    const findings = check(entry);
    if (findings.length === 0) return { entry, lacks: ring.lacks, findings: [] };
  }
  const bare = withoutKeys(entry, ring.lacks);
  const beside = check(bare);
  if (beside.length > 0) return { entry, lacks: ring.lacks, findings: beside };
  const bad: Lack[] = [];
  const good = entry.keys.filter((key) => {
    const findings = check({ ...entry, keys: [key] });
    for (const { message } of findings)
      bad.push({ reason: 'CannotVerify', field: `spec.secrets "${key.name}"`, message });
    return findings.length === 0;
  });
  const lacks = [...ring.lacks, ...bad];
  return {
    entry: good.length > 0 ? { ...entry, keys: good } : withoutKeys(entry, lacks),
    lacks,
    findings: [],
  };
}

function withoutKeys(entry: EndpointEntry, lacks: readonly Lack[]): EndpointEntry {
  return { ...entry, keys: [], cannotVerify: lacks.length > 0 ? tell(lacks) : 'no key is left' };
}
