import type { Finding } from '../../receiver/errors.ts';
import type { EndpointEntry, Entry, JwtRecipe, KeyMaterial } from '../../receiver/routing/table.ts';
import { lastEnd } from '../../receiver/verify/key.ts';
import type { Reader } from './reading.ts';
import type { SecretKeyReference } from './resources.ts';
import { readSecret, type SecretLookup } from './secrets.ts';
import { type Lack, tell } from './settle.ts';

/** One item of a list of secrets. */
export interface SecretSpec {
  readonly name: string;
  readonly secretKeyRef: SecretKeyReference;
  readonly notAfter?: string;
}

/** What a list of secrets comes to: the keys that are there, and what is missing. */
export interface KeyRing {
  readonly list: readonly SecretSpec[];
  readonly keys: readonly KeyMaterial[];
  /** Scheme JWT: the issuer's keys, where they are in a Secret. */
  readonly jwks?: string;
  readonly lacks: readonly Lack[];
}

/** Reads a list of secrets; `path` is the list's own (`spec.secrets`). */
export function readKeys(
  list: readonly SecretSpec[],
  path: string,
  secrets: SecretLookup,
  reader: Reader,
): KeyRing {
  const keys: KeyMaterial[] = [];
  const lacks: Lack[] = [];
  for (const [i, { name, secretKeyRef, notAfter }] of list.entries()) {
    const field = `${path}[${i}]`;
    const read = readSecret(secretKeyRef, field, secrets);
    if (!read.ok) {
      lacks.push(read.missing);
      continue;
    }
    const until = notAfter === undefined ? Infinity : reader.time(notAfter, `${field}.notAfter`);
    // A key whose end cannot be read is none: it could be one that never ends.
    if (until === undefined) continue;
    const ends = until === Infinity ? {} : { notAfter: until };
    keys.push({ name, secret: read.value.toString('base64'), ...ends });
  }
  return { list, keys, lacks };
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
  if (entry.jwt !== undefined) return keepGoodIssuer(entry, entry.jwt, ring, check);
  if (entry.keys.length > 0) {
    const findings = check(entry);
    if (findings.length === 0) return { entry, lacks: ring.lacks, findings: [] };
  }
  const bare = withoutKeys(entry, ring.lacks);
  const beside = check(bare);
  if (beside.length > 0) return { entry, lacks: ring.lacks, findings: beside };
  const bad: Lack[] = [];
  const good = entry.keys.filter((key) => {
    const at = ring.list.findIndex(({ name }) => name === key.name);
    // The field says which item it is, so that what is told names the key within the Secret.
    const name = ring.list[at]?.secretKeyRef.key ?? key.name;
    const findings = check({ ...entry, keys: [{ ...key, name }] });
    for (const { message } of findings)
      bad.push({ reason: 'CannotVerify', field: `spec.secrets[${at}].secretKeyRef.key`, message });
    return findings.length === 0;
  });
  const lacks = [...ring.lacks, ...bad];
  return {
    entry: good.length > 0 ? { ...entry, keys: good } : withoutKeys(entry, lacks),
    lacks,
    findings: [],
  };
}

/** When the next of the keys ends; undefined where none will. */
export function nextEnd(keys: readonly KeyMaterial[], now: number): number | undefined {
  const ends = keys.flatMap(({ notAfter }) => (notAfter !== undefined && now < notAfter ? [notAfter] : []));
  return ends.length === 0 ? undefined : Math.min(...ends);
}

const ALL_ENDED: Lack = {
  reason: 'CannotVerify',
  field: 'spec.secrets',
  message: 'every key is past its notAfter: add a new key, or give one a later notAfter',
};

/** Keys that are all past their end are as good as none. They stay in the entry: a later end brings them back. */
export function tellAllEnded(good: GoodKeys, now: number): GoodKeys {
  if (now < lastEnd(good.entry.keys)) return good;
  const lacks = [...good.lacks, ALL_ENDED];
  return { ...good, entry: { ...good.entry, cannotVerify: tell(lacks) }, lacks };
}

function withoutKeys(entry: EndpointEntry, lacks: readonly Lack[]): EndpointEntry {
  return { ...entry, keys: [], cannotVerify: lacks.length > 0 ? tell(lacks) : 'no key is left' };
}

const NO_KEYS = '{"keys":[]}';

/** The same for scheme JWT, whose keys are one document. */
function keepGoodIssuer(
  entry: EndpointEntry,
  jwt: JwtRecipe,
  ring: KeyRing,
  check: (entry: Entry) => readonly Finding[],
): GoodKeys {
  const findings = ring.lacks.length > 0 ? [] : check(entry);
  if (ring.lacks.length === 0 && findings.length === 0) return { entry, lacks: [], findings };
  const bare = jwt.jwksUri === undefined ? { ...entry, jwt: { ...jwt, jwks: NO_KEYS } } : entry;
  const beside = check(bare);
  if (beside.length > 0) return { entry, lacks: ring.lacks, findings: beside };
  const bad = findings.map((finding): Lack => ({ reason: 'CannotVerify', ...finding }));
  const lacks = [...ring.lacks, ...bad];
  return { entry: withoutKeys(bare, lacks), lacks, findings: [] };
}
