import type { Finding } from '../../receiver/errors.ts';
import type { EndpointEntry, Entry, HmacRecipe, KeyMaterial } from '../../receiver/routing/table.ts';
import { deduplicated } from './deduplicated.ts';
import { type KeyRing, keepGoodKeys, readKeys } from './keys.ts';
import { webhookSecretNotYet } from './not-yet.ts';
import type { Outcome } from './outcome.ts';
import { createReader, type Reader, readDedup, readRate } from './reading.ts';
import { type HmacRecipe as HmacSpec, type Identity, identityOf, type WebhookSecret } from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import { firstRefusal, lastGood, refusedSpec, type Settled, takenSpec } from './settle.ts';
import { withoutUndefined } from './without-undefined.ts';

const BODY_BYTES = 1_048_576;
const TOLERANCE_MS = 300_000;

export interface WebhookSecretInput {
  readonly resource: WebhookSecret;
  /** The Secrets of the resource's namespace. */
  readonly secrets: SecretLookup;
  /** `namespace/name` of the WebhookSecret that holds a source in the routing table; undefined where it is free. */
  readonly holderOf: (source: string) => string | undefined;
  /** This resource's entry in the routing table. */
  readonly previous: EndpointEntry | undefined;
  /** Base address of the public listener; '' where it is not known. */
  readonly publicUrl: string;
  /** The receiver's own compilers: what is wrong with an entry. */
  readonly check: (entry: Entry) => readonly Finding[];
}

/** Plans one WebhookSecret. */
export function planWebhookSecret(input: WebhookSecretInput): Outcome {
  const identity = identityOf(input.resource);
  const settled = settle(input, identity);
  const { entry } = settled;
  const keys = (input.resource.spec.secrets ?? []).map(({ name }) => ({ name }));
  return {
    entry,
    ready: settled.ready,
    conditions: [deduplicated(input.resource.spec)],
    findings: settled.findings,
    status: withoutUndefined({
      servingGeneration: entry?.generation,
      source: entry?.source,
      url: entry && `${(entry.publicUrl ?? input.publicUrl).replace(/\/+$/, '')}/e/${entry.source}`,
      keys: keys.length > 0 ? keys : undefined,
    }),
  };
}

function settle(input: WebhookSecretInput, identity: Identity): Settled<EndpointEntry> {
  const { spec } = input.resource;
  const reader = createReader();
  const ring = readKeys(spec, input.secrets, reader);
  const candidate = makeEntry(input, identity, ring.keys, reader);
  const good = keepGoodKeys(candidate, ring, input.check);
  const refusal = firstRefusal([
    { reason: 'NotYetSupported', findings: webhookSecretNotYet(spec) },
    { reason: 'Invalid', findings: [...reader.findings, ...good.findings] },
    { reason: 'SourceTaken', findings: sourceTaken(input, identity, candidate.source) },
  ]);
  if (refusal !== undefined) {
    const fallback = lastGood(input.previous, identity, () => []);
    const kept = fallback && refreshed(fallback, ring, input.check);
    return refusedSpec(refusal, kept, kept?.cannotVerify && `it answers 503: ${kept.cannotVerify}`);
  }
  const names = good.entry.keys.map((key) => `"${key.name}"`).join(', ');
  const meanwhile =
    names === '' ? 'the endpoint answers 503 until then' : `the endpoint serves with ${names}`;
  return takenSpec(good.entry, good.lacks, meanwhile);
}

function makeEntry(
  input: WebhookSecretInput,
  identity: Identity,
  keys: readonly KeyMaterial[],
  reader: Reader,
): EndpointEntry {
  const { spec } = input.resource;
  const publicUrl = spec.publicUrl ?? input.publicUrl;
  return withoutUndefined<EndpointEntry>({
    kind: 'WebhookSecret',
    ...identity,
    source: spec.source ?? `${identity.namespace}.${identity.name}`,
    scheme: spec.scheme,
    hmac: spec.hmac && recipe(spec.hmac, reader),
    jwt: undefined,
    keys,
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

/** The recipe with the defaults that are not constants, and so are not in the schema. */
function recipe(spec: HmacSpec, reader: Reader): HmacRecipe {
  const { tolerance, ...rest } = spec;
  const timed = spec.timestamp !== undefined || spec.fields?.timestamp !== undefined;
  return {
    ...rest,
    signedContent: spec.signedContent ?? (timed ? '{timestamp}.{body}' : '{body}'),
    toleranceMs: reader.duration(tolerance, 'spec.hmac.tolerance', TOLERANCE_MS),
  };
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
  check: (entry: Entry) => readonly Finding[],
): EndpointEntry | undefined {
  const { cannotVerify: _, ...rest } = entry;
  const now = keepGoodKeys({ ...rest, keys: ring.keys }, ring, check);
  return now.findings.length > 0 ? undefined : now.entry;
}
