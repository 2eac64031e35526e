import type { Finding } from '../../receiver/errors.ts';
import type { Destination, Signing } from '../../receiver/routing/table.ts';
import { readKeys } from './keys.ts';
import type { Reader } from './reading.ts';
import { readRecipe } from './recipe.ts';
import type {
  DeadLetterSink,
  JobTarget,
  ObjectReference,
  Signing as SigningSpec,
  SinkHeader,
  SinkTarget,
} from './resources.ts';
import { readSecret, type SecretLookup } from './secrets.ts';
import { type Lack, tell } from './settle.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Where a ref leads, as gathering found it. */
export type Address =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** The addresses of refs, all in the resource's own namespace. */
export type AddressLookup = (ref: ObjectReference) => Address;

export interface Surroundings {
  readonly secrets: SecretLookup;
  readonly addressOf: AddressLookup;
}

export interface PlannedDestination {
  readonly destination: Destination;
  /** Wrong in the spec itself. */
  readonly findings: readonly Finding[];
  /** Missing in the cluster; the destination is then `unresolved`, unless it works without. */
  readonly lacks: readonly Lack[];
}

/** An address no one has (RFC 6761), for destinations that are unresolved. */
const NOWHERE = 'http://unresolved.invalid/';
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `path` is where the fields stand that `target` is one of: the spec, or a step of it. */
export function planJob(spec: JobTarget, around: Surroundings, path: string = 'spec'): PlannedDestination {
  const field = `${path}.target.job`;
  const planned = planBackend(spec, around, field);
  return spec.allowLoop === true
    ? { ...planned, destination: { ...planned.destination, allowLoop: true } }
    : planned;
}

/** A job backend at `field`: where it is, and as whom it is asked. */
export function planBackend(spec: Backend, around: Surroundings, field: string): PlannedDestination {
  const headers: SinkHeader[] =
    spec.auth === undefined ? [] : [{ name: 'Authorization', secretKeyRef: spec.auth.secretKeyRef }];
  return plan(
    'job',
    spec,
    readHeaders(headers, () => `${field}.auth`, around.secrets, bearer),
    around,
    field,
  );
}

type Backend = DeadLetterSink & Pick<JobTarget, 'auth'>;

export function planSink(
  spec: SinkTarget,
  around: Surroundings,
  reader: Reader,
  field: string,
): PlannedDestination {
  const headers = readHeaders(spec.headers ?? [], (i) => `${field}.headers[${i}]`, around.secrets);
  if (spec.sign === undefined) return plan('sink', spec, headers, around, field);
  const { sign, lacks } = readSigning(spec.sign, around.secrets, reader, `${field}.sign`);
  // With one key of several it is signed; without any it waits.
  const waits = sign.keys.length === 0 ? lacks : [];
  const planned = plan('sink', spec, { ...headers, lacks: [...headers.lacks, ...waits] }, around, field);
  return {
    ...planned,
    destination: { ...planned.destination, sign },
    lacks: waits === lacks ? planned.lacks : [...planned.lacks, ...lacks],
  };
}

function readSigning(
  { scheme, hmac, secrets: list }: SigningSpec,
  secrets: SecretLookup,
  reader: Reader,
  field: string,
): { readonly sign: Signing; readonly lacks: readonly Lack[] } {
  const { keys, lacks } = readKeys(list, `${field}.secrets`, secrets, reader);
  const recipe = hmac && readRecipe(hmac, `${field}.hmac`, reader);
  return { sign: withoutUndefined<Signing>({ scheme, hmac: recipe, keys }), lacks };
}

const bearer = (token: string): string => `Bearer ${token}`;

export function planDeadLetterSink(
  spec: DeadLetterSink,
  around: Surroundings,
  path: string = 'spec',
): PlannedDestination {
  const headers = { values: [], findings: [], lacks: [] };
  return plan('sink', spec, headers, around, `${path}.delivery.deadLetterSink`);
}

function plan(
  kind: Destination['kind'],
  spec: DeadLetterSink,
  headers: Headers,
  around: Surroundings,
  field: string,
): PlannedDestination {
  const address = resolveAddress(spec, field, around.addressOf);
  const lacks = [...address.lacks, ...headers.lacks];
  return {
    destination: withoutUndefined<Destination>({
      kind,
      url: address.url ?? NOWHERE,
      byRef: spec.ref === undefined ? undefined : true,
      headers: headers.values,
      caCerts: spec.caCerts === '' ? undefined : spec.caCerts,
      unresolved: lacks.length > 0 ? tell(lacks) : undefined,
    }),
    findings: [...address.findings, ...headers.findings],
    lacks,
  };
}

interface ResolvedAddress {
  readonly url?: string;
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

/** Knative's rules: `uri` alone is absolute; with a `ref` it is relative and resolved against the ref's address. */
function resolveAddress(spec: DeadLetterSink, field: string, addressOf: AddressLookup): ResolvedAddress {
  const { uri, ref } = spec;
  if (ref === undefined) {
    const url = uri === undefined ? undefined : parseUrl(uri);
    if (url !== undefined) return { url: url.href, findings: [], lacks: [] };
    const message = uri === undefined ? 'an address is missing: set uri or ref' : ABSOLUTE;
    return { findings: [{ field: `${field}.uri`, message }], lacks: [] };
  }
  if (uri !== undefined && isAbsolute(uri)) {
    const message = 'an absolute uri and a ref exclude each other: write the path alone, or remove the ref';
    return { findings: [{ field: `${field}.uri`, message }], lacks: [] };
  }
  const address = addressOf(ref);
  if (!address.ok) {
    return {
      findings: [],
      lacks: [{ reason: address.reason, field: `${field}.ref`, message: address.message }],
    };
  }
  const url = parseUrl(uri ?? '', address.url);
  if (url !== undefined) return { url: url.href, findings: [], lacks: [] };
  return {
    findings: [
      { field: `${field}.uri`, message: 'it does not resolve to an address: write a path like /hook' },
    ],
    lacks: [],
  };
}

const ABSOLUTE = 'it is not an absolute http or https address: write one like https://host/path';

function parseUrl(uri: string, base?: string): URL | undefined {
  const url = URL.parse(uri, base);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}

function isAbsolute(uri: string): boolean {
  return uri.startsWith('//') || URL.canParse(uri);
}

interface Headers {
  readonly values: Destination['headers'];
  readonly findings: readonly Finding[];
  readonly lacks: readonly Lack[];
}

function readHeaders(
  specs: readonly SinkHeader[],
  fieldAt: (i: number) => string,
  secrets: SecretLookup,
  form: (value: string) => string = (value) => value,
): Headers {
  const values: { name: string; value: string }[] = [];
  const findings: Finding[] = [];
  const lacks: Lack[] = [];
  for (const [i, { name, value, secretKeyRef }] of specs.entries()) {
    if (secretKeyRef === undefined) {
      values.push({ name, value: value ?? '' });
      continue;
    }
    const read = readSecret(secretKeyRef, fieldAt(i), secrets);
    if (!read.ok) {
      lacks.push(read.missing);
      continue;
    }
    // A Secret made from a file ends with a line feed, which is never part of a token.
    const text = read.value.toString('latin1').replace(/[\r\n]+$/, '');
    if (HEADER_VALUE.test(text)) values.push({ name, value: form(text) });
    else findings.push({ field: fieldAt(i), message: unfit(secretKeyRef.name, secretKeyRef.key) });
  }
  return { values, findings, lacks };
}

function unfit(name: string, key: string): string {
  return `Secret "${name}" key "${key}" holds a character that no header carries: store the token alone`;
}
