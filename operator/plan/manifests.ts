import type { Finding } from '../../receiver/errors.ts';
import {
  type BridgeEntry,
  type EndpointEntry,
  type Entry,
  entryKey,
  type TriggerEntry,
} from '../../receiver/routing/table.ts';
import { heldTokens } from './bearer-tokens.ts';
import type { Address } from './destination.ts';
import { planEventBridge } from './event-bridge.ts';
import { planEventTrigger } from './event-trigger.ts';
import type { Found } from './found.ts';
import type { Outcome } from './outcome.ts';
import {
  type EventBridge,
  type EventTrigger,
  identityOf,
  type ObjectReference,
  type WebhookSecret,
} from './resources.ts';
import type { SecretLookup } from './secrets.ts';
import { planWebhookSecret } from './webhook-secret.ts';

/** A core/v1 Secret as a manifest brings it: `data` decoded, `stringData` merged in. */
export interface ManifestSecret {
  readonly namespace: string;
  readonly name: string;
  readonly data: Readonly<Record<string, Buffer>>;
}

/** All that planning without a cluster needs. Resources have passed the schema; its defaults may be applied or not. */
export interface ManifestInput {
  readonly webhookSecrets: readonly WebhookSecret[];
  readonly eventTriggers: readonly EventTrigger[];
  readonly eventBridges: readonly EventBridge[];
  readonly secrets: readonly ManifestSecret[];
  /** `Kind/namespace/name` of what is there in no valid form. */
  readonly broken: ReadonlySet<string>;
  /** `kind/namespace/name` → absolute URL: what `--resolve` says. */
  readonly resolve: ReadonlyMap<string, string>;
  /** The entries in force, [] at the start: a bad edit keeps its entry, a source stays with its holder. */
  readonly previous: readonly Entry[];
  /** Base address of the public listener, for example `https://hooks.example.com`; '' where it is not known. */
  readonly publicUrl: string;
  /** Base address of the in-cluster listener. */
  readonly clusterUrl: string;
  /** Destinations that the egress policy refuses: `(entry) => egressFindings(entry, policy)`. */
  readonly egress: (entry: Entry) => readonly Finding[];
  /** The receiver's own compilers: `compileEntry`. */
  readonly check: (entry: Entry) => readonly Finding[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One thing to print: `Kind namespace/name: field: message`. */
export interface ManifestFinding {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly message: string;
}

export interface ManifestPlan {
  /** Sorted by kind, namespace and name. */
  readonly entries: readonly Entry[];
  readonly findings: readonly ManifestFinding[];
  /** By `Kind/namespace/name`. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** Plans a whole set of manifests, for `signalbox run`. */
export function planManifests(input: ManifestInput): ManifestPlan {
  const previous = new Map(input.previous.map((entry) => [entryKey(entry), entry]));
  const outcomes = new Map<string, Outcome>([
    ...planEndpoints(input, previous),
    ...planTriggers(input, previous),
    ...planBridges(input, previous),
  ]);
  const keys = [...outcomes.keys()].sort();
  return {
    entries: keys.flatMap((key) => outcomes.get(key)?.entry ?? []),
    findings: keys.flatMap((key) => findingsOf(key, outcomes.get(key)?.findings ?? [])),
    outcomes,
  };
}

function planEndpoints(input: ManifestInput, previous: ReadonlyMap<string, Entry>): Map<string, Outcome> {
  const holders = holdersOf(input, previous);
  const tokens = tokenHoldersOf(input, previous);
  const outcomes = new Map<string, Outcome>();
  for (const resource of input.webhookSecrets) {
    const { namespace } = identityOf(resource);
    const key = keyOf('WebhookSecret', resource);
    const outcome = planWebhookSecret({
      resource,
      secrets: secretsOf(input, namespace),
      holderOf: (source) => holders.get(source),
      tokenHolderOf: (digest) => tokens.get(digest),
      lastUsed: new Map(),
      canGenerate: false,
      previous: previous.get(key) as EndpointEntry | undefined,
      publicUrl: input.publicUrl,
      check: input.check,
      egress: input.egress,
      now: input.now,
    });
    const name = key.slice(key.indexOf('/') + 1);
    if (outcome.status.source !== undefined) holders.set(outcome.status.source, name);
    if (outcome.entry?.kind === 'WebhookSecret')
      for (const digest of heldTokens(outcome.entry)) tokens.set(digest, name);
    outcomes.set(key, outcome);
  }
  return outcomes;
}

/** Who holds which source, of those that are still in the manifests. */
function holdersOf(input: ManifestInput, previous: ReadonlyMap<string, Entry>): Map<string, string> {
  const holders = new Map<string, string>();
  for (const resource of input.webhookSecrets) {
    const entry = previous.get(keyOf('WebhookSecret', resource));
    if (entry?.kind === 'WebhookSecret') holders.set(entry.source, `${entry.namespace}/${entry.name}`);
  }
  return holders;
}

/** Who holds which Bearer token: of those that are still in the manifests, and still have it. */
function tokenHoldersOf(input: ManifestInput, previous: ReadonlyMap<string, Entry>): Map<string, string> {
  const holders = new Map<string, string>();
  for (const resource of input.webhookSecrets) {
    const entry = previous.get(keyOf('WebhookSecret', resource));
    if (entry?.kind !== 'WebhookSecret') continue;
    for (const digest of heldTokens(entry)) holders.set(digest, `${entry.namespace}/${entry.name}`);
  }
  return holders;
}

function planTriggers(input: ManifestInput, previous: ReadonlyMap<string, Entry>): Map<string, Outcome> {
  const endpoints = new Map(
    input.webhookSecrets.map((resource) => [keyOf('WebhookSecret', resource), true as const]),
  );
  const bridges = new Map(
    input.eventBridges.map((resource) => [keyOf('EventBridge', resource), resource.spec]),
  );
  return new Map(
    input.eventTriggers.map((resource) => {
      const { namespace } = identityOf(resource);
      const key = keyOf('EventTrigger', resource);
      const outcome = planEventTrigger({
        resource,
        secrets: secretsOf(input, namespace),
        addressOf: (ref) => resolved(ref, namespace, input.resolve),
        webhookSecret: (name) => find(input, endpoints, `WebhookSecret/${namespace}/${name}`),
        eventBridge: (name) => find(input, bridges, `EventBridge/${namespace}/${name}`),
        previous: previous.get(key) as TriggerEntry | undefined,
        clusterUrl: input.clusterUrl,
        check: input.check,
        egress: input.egress,
      });
      return [key, outcome];
    }),
  );
}

function planBridges(input: ManifestInput, previous: ReadonlyMap<string, Entry>): Map<string, Outcome> {
  const endpoints = new Map(
    input.webhookSecrets.map((resource) => [keyOf('WebhookSecret', resource), resource.spec]),
  );
  return new Map(
    input.eventBridges.map((resource) => {
      const { namespace } = identityOf(resource);
      const key = keyOf('EventBridge', resource);
      const outcome = planEventBridge({
        resource,
        secrets: secretsOf(input, namespace),
        addressOf: (ref) => resolved(ref, namespace, input.resolve),
        webhookSecret: (name) => find(input, endpoints, `WebhookSecret/${namespace}/${name}`),
        previous: previous.get(key) as BridgeEntry | undefined,
        // Without a cluster nobody asks: the receiver is this process, and logs.
        reports: [],
        check: input.check,
        egress: input.egress,
      });
      return [key, outcome];
    }),
  );
}

function resolved(ref: ObjectReference, namespace: string, resolve: ReadonlyMap<string, string>): Address {
  const key = `${ref.kind}/${namespace}/${ref.name}`;
  const url = resolve.get(key) ?? resolve.get(`${ref.kind.toLowerCase()}/${namespace}/${ref.name}`);
  if (url !== undefined) return { ok: true, url };
  const message = `a ref needs a cluster: say where it leads by --resolve ${key}=URL, or write a uri`;
  return { ok: false, reason: 'RefNotFound', message };
}

function secretsOf(input: ManifestInput, namespace: string): SecretLookup {
  return (name) =>
    input.secrets.find((one) => one.namespace === namespace && one.name === name)?.data ??
    invalid(input, `Secret/${namespace}/${name}`);
}

function find<T>(input: ManifestInput, valid: ReadonlyMap<string, T>, key: string): Found<T> {
  return valid.get(key) ?? invalid(input, key);
}

function invalid({ broken }: ManifestInput, key: string): 'Invalid' | undefined {
  return broken.has(key) ? 'Invalid' : undefined;
}

function keyOf(kind: string, resource: { readonly metadata: WebhookSecret['metadata'] }): string {
  return entryKey({ kind, ...identityOf(resource) });
}

function findingsOf(key: string, findings: readonly Finding[]): readonly ManifestFinding[] {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return findings.map(({ field, message }) => ({ kind, namespace, name, field, message }));
}
