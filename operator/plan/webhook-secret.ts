import type { Finding } from '../../receiver/errors.ts';
import type { EndpointEntry, Entry, JwtRecipe } from '../../receiver/routing/table.ts';
import { heldElsewhere, markHeld } from './bearer-tokens.ts';
import { deduplicated } from './deduplicated.ts';
import { generated, missingOf } from './generate.ts';
import { keyStatus, oldKeysUnused } from './key-status.ts';
import { type KeyRing, keepGoodKeys, nextEnd, readKeys, tellAllEnded } from './keys.ts';
import type { Outcome } from './outcome.ts';
import { createReader, type Reader, readDedup, readRate } from './reading.ts';
import { readRecipe } from './recipe.ts';
import { type Identity, identityOf, type WebhookSecret, type WebhookSecretSpec } from './resources.ts';
import { readSecret, type SecretLookup } from './secrets.ts';
import { firstRefusal, lastGood, refusedSpec, type Settled, takenSpec } from './settle.ts';
import { withoutUndefined } from './without-undefined.ts';

const BODY_BYTES = 1_048_576;

export interface WebhookSecretInput {
  readonly resource: WebhookSecret;
  /** The Secrets of the resource's namespace. */
  readonly secrets: SecretLookup;
  /** `namespace/name` of the WebhookSecret that holds a source in the routing table; undefined where it is free. */
  readonly holderOf: (source: string) => string | undefined;
  /** `namespace/name` of the WebhookSecret that a Bearer token leads to, by its digest; undefined where it is free. */
  readonly tokenHolderOf: (digest: string) => string | undefined;
  /** When each of its keys last proved a request, by name, in milliseconds since the epoch. */
  readonly lastUsed: ReadonlyMap<string, number>;
  /** Whether `spec.generate` can be done: it needs a cluster. */
  readonly canGenerate: boolean;
  /** This resource's entry in the routing table. */
  readonly previous: EndpointEntry | undefined;
  /** Base address of the public listener; '' where it is not known. */
  readonly publicUrl: string;
  /** The receiver's own compilers: what is wrong with an entry. */
  readonly check: (entry: Entry) => readonly Finding[];
  /** The issuer's address, where the egress policy refuses it. */
  readonly egress: (entry: Entry) => readonly Finding[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Plans one WebhookSecret. */
export function planWebhookSecret(input: WebhookSecretInput): Outcome {
  const identity = identityOf(input.resource);
  const settled = settle(input, identity);
  const { entry } = settled;
  const { spec } = input.resource;
  const keys = keyStatus(input.resource, input.lastUsed);
  const unused = oldKeysUnused(keys);
  const held = entry === undefined ? undefined : heldElsewhere(entry, input.now);
  const end = nextEnd(entry?.keys ?? [], input.now);
  return {
    entry,
    ...(end === undefined ? {} : { until: end }),
    ready: settled.ready,
    conditions: [
      deduplicated(spec),
      ...(unused === undefined ? [] : [unused]),
      ...(held === undefined ? [] : [held.condition]),
    ],
    findings: [...settled.findings, ...(held === undefined ? [] : [held.finding])],
    ...(input.canGenerate ? generated(spec, input.secrets) : {}),
    status: withoutUndefined({
      servingGeneration: entry?.generation,
      source: entry?.source,
      url: entry && `${(entry.publicUrl ?? input.publicUrl).replace(/\/+$/, '')}/e/${entry.source}`,
      keys: keys.length > 0 ? keys : undefined,
    }),
  };
}

function settle(input: WebhookSecretInput, identity: Identity): Settled<EndpointEntry> {
  const reader = createReader();
  const ring = readRing(input, reader);
  const candidate = makeEntry(input, identity, ring, reader);
  const good = tellAllEnded(keepGoodKeys(candidate, ring, input.check), input.now);
  const refusal = firstRefusal([
    { reason: 'Invalid', findings: [...reader.findings, ...good.findings] },
    { reason: 'SourceTaken', findings: sourceTaken(input, identity, candidate.source) },
    { reason: 'EgressRefused', findings: input.egress(candidate) },
  ]);
  const { tokenHolderOf } = input;
  if (refusal !== undefined) {
    const fallback = lastGood(input.previous, identity, input.egress);
    const fresh = fallback && refreshed(fallback, ring, input);
    const kept = fresh && markHeld(fresh, tokenHolderOf);
    return refusedSpec(refusal, kept, kept?.cannotVerify && `it answers 503: ${kept.cannotVerify}`);
  }
  const names = good.entry.keys.map((key) => `"${key.name}"`).join(', ');
  const meanwhile =
    good.entry.cannotVerify === undefined
      ? `the endpoint serves with ${names}`
      : 'the endpoint answers 503 until then';
  return takenSpec(markHeld(good.entry, tokenHolderOf), good.lacks, meanwhile);
}

function readRing(input: WebhookSecretInput, reader: Reader): KeyRing {
  const { spec } = input.resource;
  const { secrets, canGenerate } = input;
  const ring = readKeys(spec.secrets ?? [], 'spec.secrets', secrets, reader);
  const ref = spec.jwt?.jwks?.secretKeyRef;
  if (ref !== undefined) {
    const read = readSecret(ref, 'spec.jwt.jwks', secrets);
    return read.ok ? { ...ring, jwks: read.value.toString('utf8') } : { ...ring, lacks: [read.missing] };
  }
  return spec.generate === undefined
    ? ring
    : { ...ring, lacks: ring.lacks.map((lack) => missingOf(lack, canGenerate)) };
}

function makeEntry(
  input: WebhookSecretInput,
  identity: Identity,
  ring: KeyRing,
  reader: Reader,
): EndpointEntry {
  const { spec } = input.resource;
  const publicUrl = spec.publicUrl ?? input.publicUrl;
  return withoutUndefined<EndpointEntry>({
    kind: 'WebhookSecret',
    ...identity,
    source: spec.source ?? `${identity.namespace}.${identity.name}`,
    scheme: spec.scheme,
    hmac: spec.hmac && readRecipe(spec.hmac, 'spec.hmac', reader),
    jwt: spec.jwt && issuer(spec.jwt, ring.jwks),
    keys: ring.keys,
    cannotVerify: undefined,
    publicUrl: publicUrl === '' ? undefined : publicUrl,
    event: spec.event,
    dedup: readDedup(spec.dedup, 'spec.dedup', reader),
    limits: withoutUndefined({
      bodyBytes: reader.quantity(spec.limits?.bodyBytes, 'spec.limits.bodyBytes', BODY_BYTES),
      rate: spec.limits?.rate && readRate(spec.limits.rate, 'spec.limits.rate', reader),
    }),
  });
}

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

function issuer(spec: NonNullable<WebhookSecretSpec['jwt']>, jwks: string | undefined): JwtRecipe {
  const { issuer: name, audiences, jwksUri, algorithms = ALGORITHMS } = spec;
  return withoutUndefined<JwtRecipe>({ issuer: name, audiences, jwksUri, jwks, algorithms });
}

function sourceTaken(input: WebhookSecretInput, identity: Identity, source: string): readonly Finding[] {
  const holder = input.holderOf(source);
  if (holder === undefined || holder === `${identity.namespace}/${identity.name}`) return [];
  return [
    { field: 'spec.source', message: `"${source}" belongs to WebhookSecret ${holder}: choose another` },
  ];
}

/** The last good entry with the keys of today: what was revoked or rotated since counts at once, the rest does not. */
function refreshed(
  entry: EndpointEntry,
  ring: KeyRing,
  { check, now }: Pick<WebhookSecretInput, 'check' | 'now'>,
): EndpointEntry | undefined {
  const { cannotVerify: _, ...rest } = entry;
  const jwt = rest.jwt && ring.jwks !== undefined ? { ...rest.jwt, jwks: ring.jwks } : rest.jwt;
  const good = keepGoodKeys(withoutUndefined<EndpointEntry>({ ...rest, keys: ring.keys, jwt }), ring, check);
  return good.findings.length > 0 ? undefined : tellAllEnded(good, now).entry;
}
