import type { Kind } from '../../crds/group.ts';
import type { Finding } from '../../receiver/errors.ts';
import type { BridgeEntry, EndpointEntry, Entry, TriggerEntry } from '../../receiver/routing/table.ts';
import type { BridgeReports } from '../confirm/bridge-reports.ts';
import type { KeyUses } from '../confirm/key-uses.ts';
import type { Address, AddressLookup } from '../plan/destination.ts';
import { planEventBridge } from '../plan/event-bridge.ts';
import { planEventTrigger } from '../plan/event-trigger.ts';
import type { Outcome } from '../plan/outcome.ts';
import type { EventBridge, EventTrigger, ObjectReference, WebhookSecret } from '../plan/resources.ts';
import type { SecretData, SecretLookup } from '../plan/secrets.ts';
import { planWebhookSecret } from '../plan/webhook-secret.ts';
import { type Addressables, refKey } from './addressables.ts';
import { type Needs, needsOfEventBridge, needsOfEventTrigger, needsOfWebhookSecret } from './needs.ts';
import type { Packed } from './packed.ts';
import type { SecretReader } from './secret-reader.ts';
import { serviceAddress } from './service-address.ts';
import type { World } from './world.ts';

/** A resource with all that its plan needs. `plan` does no I/O; it looks at the table as it is at that moment. */
export interface Gathered {
  readonly kind: Kind;
  readonly resource: WebhookSecret | EventTrigger | EventBridge;
  readonly plan: (table: TableView) => Outcome;
}

/** What planning sees of the routing table. */
export interface TableView {
  get(key: string): Entry | undefined;
  holderOf(source: string): string | undefined;
  tokenHolderOf(digest: string): string | undefined;
}

/** What holds for every plan of this operator. */
export interface Settings {
  readonly publicUrl: string;
  readonly clusterUrl: string;
  /** `cluster.local` */
  readonly clusterDomain: string;
  readonly canGenerate: boolean;
  readonly check: (entry: Entry) => readonly Finding[];
  readonly egress: (entry: Entry) => readonly Finding[];
}

export interface Sources {
  readonly world: World;
  readonly secrets: SecretReader;
  readonly addressables: Addressables;
  readonly keyUses: Pick<KeyUses, 'of' | 'forget'>;
  readonly bridgeReports: Pick<BridgeReports, 'of'>;
  readonly settings: Settings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Told what a plan depends on, before any of it is read: a change that comes meanwhile is not missed. */
export type Note = (things: readonly string[]) => void;

interface Name {
  readonly namespace: string;
  readonly name: string;
  readonly note: Note;
}

type Gatherer = (sources: Sources, name: Name) => Promise<Gathered | undefined>;

/** One gatherer per kind. Each answers undefined where the resource is gone, or on its way out. */
const GATHERERS: Readonly<Record<Kind, Gatherer>> = {
  WebhookSecret: gatherWebhookSecret,
  EventTrigger: gatherEventTrigger,
  EventBridge: gatherEventBridge,
};

/** Reads all that the plan of `Kind/namespace/name` needs. Throws ApiError. */
export function gather(sources: Sources, key: string, note: Note): Promise<Gathered | undefined> {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return GATHERERS[kind as Kind](sources, { namespace, name, note });
}

/** A resource as it is, where what it needs could not be read; undefined where it is gone, or on its way out. */
export function unplanned(world: World, key: string): Pick<Gathered, 'kind' | 'resource'> | undefined {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const at = `${namespace}/${name}`;
  const found: Readonly<Record<Kind, () => Gathered['resource'] | undefined>> = {
    WebhookSecret: () => present(world.webhookSecrets.get(at)),
    EventTrigger: () => present(world.eventTriggers.get(at)),
    EventBridge: () => present(world.eventBridges.get(at)),
  };
  const resource = found[kind as Kind]();
  return resource && { kind: kind as Kind, resource };
}

async function gatherWebhookSecret(
  sources: Sources,
  { namespace, name, note }: Name,
): Promise<Gathered | undefined> {
  const resource = present(sources.world.webhookSecrets.get(`${namespace}/${name}`));
  if (resource === undefined) return undefined;
  const needs = needsOfWebhookSecret(resource);
  note(needs.things);
  const secrets = await readSecrets(sources, namespace, needs);
  const { publicUrl, canGenerate, check, egress } = sources.settings;
  return {
    kind: 'WebhookSecret',
    resource,
    plan: ({ get, holderOf, tokenHolderOf }) => {
      const previous = get(`WebhookSecret/${namespace}/${name}`) as EndpointEntry | undefined;
      return planWebhookSecret({
        resource,
        secrets,
        holderOf,
        tokenHolderOf,
        lastUsed: sources.keyUses.of(`WebhookSecret/${namespace}/${name}`),
        canGenerate,
        previous,
        publicUrl,
        check,
        egress,
        now: sources.now(),
      });
    },
  };
}

async function gatherEventTrigger(
  sources: Sources,
  { namespace, name, note }: Name,
): Promise<Gathered | undefined> {
  const { world, settings } = sources;
  const resource = present(world.eventTriggers.get(`${namespace}/${name}`));
  if (resource === undefined) return undefined;
  const needs = needsOfEventTrigger(resource);
  note(needs.things);
  const [secrets, addressOf] = await Promise.all([
    readSecrets(sources, namespace, needs),
    readAddresses(sources, namespace, needs.refs),
  ]);
  const { clusterUrl, check, egress } = settings;
  const webhookSecret = (one: string): true | undefined =>
    world.webhookSecrets.get(`${namespace}/${one}`)?.leaving === false ? true : undefined;
  const eventBridge = (one: string): EventBridge['spec'] | undefined =>
    present(world.eventBridges.get(`${namespace}/${one}`))?.spec;
  return {
    kind: 'EventTrigger',
    resource,
    plan: ({ get }) => {
      const previous = get(`EventTrigger/${namespace}/${name}`) as TriggerEntry | undefined;
      return planEventTrigger({
        resource,
        secrets,
        addressOf,
        webhookSecret,
        eventBridge,
        previous,
        clusterUrl,
        check,
        egress,
      });
    },
  };
}

async function gatherEventBridge(
  sources: Sources,
  { namespace, name, note }: Name,
): Promise<Gathered | undefined> {
  const { world, settings } = sources;
  const resource = present(world.eventBridges.get(`${namespace}/${name}`));
  if (resource === undefined) return undefined;
  const needs = needsOfEventBridge(resource);
  note(needs.things);
  const [secrets, addressOf] = await Promise.all([
    readSecrets(sources, namespace, needs),
    readAddresses(sources, namespace, needs.refs),
  ]);
  const { check, egress } = settings;
  const webhookSecret = (one: string): WebhookSecret['spec'] | undefined =>
    present(world.webhookSecrets.get(`${namespace}/${one}`))?.spec;
  return {
    kind: 'EventBridge',
    resource,
    plan: ({ get }) =>
      planEventBridge({
        resource,
        secrets,
        addressOf,
        webhookSecret,
        previous: get(`EventBridge/${namespace}/${name}`) as BridgeEntry | undefined,
        reports: sources.bridgeReports.of(`${namespace}/${name}`),
        check,
        egress,
      }),
  };
}

/** A resource that is being deleted is as good as gone, whatever still holds it back. */
function present<R extends WebhookSecret | EventTrigger | EventBridge>(
  kept: Packed<R> | undefined,
): R | undefined {
  return kept === undefined || kept.leaving ? undefined : kept.read();
}

async function readSecrets(
  { world, secrets }: Sources,
  namespace: string,
  needs: Needs,
): Promise<SecretLookup> {
  const found = new Map<string, SecretData | undefined>();
  await Promise.all(
    needs.secrets.map(async (name) => {
      found.set(name, await secrets.read(namespace, name, world.secrets.get(`${namespace}/${name}`)));
    }),
  );
  return (name) => found.get(name);
}

async function readAddresses(
  { world, addressables, settings }: Sources,
  namespace: string,
  refs: readonly ObjectReference[],
): Promise<AddressLookup> {
  const found = new Map<string, Address>();
  await Promise.all(
    refs.map(async (ref) => {
      const key = refKey(ref, `${namespace}/${ref.name}`);
      const isService = ref.apiVersion === 'v1' && ref.kind === 'Service';
      const place = { namespace, name: ref.name, domain: settings.clusterDomain };
      const service = isService
        ? serviceAddress(world.services.get(`${namespace}/${ref.name}`), place)
        : undefined;
      found.set(key, service ?? (await addressables.addressOf(namespace, ref)));
    }),
  );
  return (ref) => found.get(refKey(ref, `${namespace}/${ref.name}`)) ?? UNREAD;
}

const UNREAD: Address = {
  ok: false,
  reason: 'RefNotFound',
  message: 'the ref was not read: apply the resource again',
};
