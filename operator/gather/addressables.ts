import { pause } from '../../receiver/kube/backoff.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { inNamespace } from '../../receiver/kube/collection.ts';
import { createWatch, type Watch, type Watchable } from '../../receiver/kube/watch.ts';
import type { Log } from '../log.ts';
import type { Address } from '../plan/destination.ts';
import type { ObjectReference } from '../plan/resources.ts';

/**
 * How long the first look at a kind may take before refs to it count as not found for now. Once for all of them: a kind that
 * may not be listed must not hold up what else there is to plan.
 */
const PATIENCE_MS = 5000;

interface Kind {
  readonly watch: Watch<string | undefined>;
  /** All of the kind are known, or that took too long. */
  readonly looked: Promise<unknown>;
}

interface AddressableObject extends Watchable {
  readonly status?: {
    readonly address?: { readonly url?: string };
    readonly addresses?: readonly { readonly url?: string }[];
  };
}

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/**
 * Addresses of objects of any kind that is Addressable as Knative has it (`status.address.url`). A kind is watched from
 * the first ref to it on, so that an address that changes is followed.
 */
export interface Addressables {
  addressOf(namespace: string, ref: ObjectReference): Promise<Address>;
  stop(): Promise<void>;
}

export interface AddressablesOptions {
  readonly client: KubeClient;
  readonly watchNamespace: string | undefined;
  /** Called with `Ref/apiVersion/kind/namespace/name`. */
  readonly changed: (thing: string) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

export function createAddressables(options: AddressablesOptions): Addressables {
  const { client } = options;
  const kinds = new Map<string, Promise<Kind | undefined>>();
  const stopping = new AbortController();

  async function open({ apiVersion, kind }: ObjectReference): Promise<Kind | undefined> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await client.json<ResourceList>({ path: root, signal: stopping.signal });
    const found = resources.find((one) => one.kind === kind && one.namespaced && !one.name.includes('/'));
    if (found === undefined) return undefined;
    const watch = createWatch<AddressableObject, string | undefined>({
      client,
      collection: { path: `${root}${inNamespace(options.watchNamespace)}/${found.name}` },
      keep: ({ status }) => status?.addresses?.[0]?.url ?? status?.address?.url,
      changed: (key, before, after) => {
        if (before !== after) options.changed(refKey({ apiVersion, kind }, key));
      },
      log: options.log,
      now: options.now,
      random: options.random,
    });
    watch.start();
    return { watch, looked: Promise.race([watch.synced, pause(PATIENCE_MS, stopping.signal)]) };
  }

  /** A kind that is unknown or cannot be read is looked for again the next time. */
  async function kindOf(ref: ObjectReference): Promise<Kind | undefined> {
    const key = `${ref.apiVersion}/${ref.kind}`;
    const opening = kinds.get(key) ?? open(ref).catch(() => undefined);
    kinds.set(key, opening);
    const kind = await opening;
    if (kind === undefined) kinds.delete(key);
    return kind;
  }

  return {
    async addressOf(namespace, ref) {
      const what = `${ref.kind} "${ref.name}"`;
      const kind = await kindOf(ref);
      if (kind === undefined)
        return notFound(
          `kind ${ref.kind} of ${ref.apiVersion} is not known to the cluster: correct it, or install it`,
        );
      await kind.looked;
      const { watch } = kind;
      if (!watch.hasSynced)
        return notFound(`${what} could not be read: let the operator list and watch ${ref.kind}`);
      const key = `${namespace}/${ref.name}`;
      const url = watch.get(key);
      if (url !== undefined && URL.canParse(url)) return { ok: true, url };
      const exists = [...watch.entries()].some(([one]) => one === key);
      return notFound(
        exists
          ? `${what} has no status.address.url: wait until it is ready, or name an Addressable`
          : `${what} does not exist in this namespace: create it, or name another`,
      );
    },
    async stop() {
      stopping.abort();
      await Promise.all([...kinds.values()].map(async (opening) => (await opening)?.watch.stop()));
    },
  };
}

/** What a resource that names the ref depends on; `key` is `namespace/name`. */
export function refKey(
  { apiVersion, kind }: Pick<ObjectReference, 'apiVersion' | 'kind'>,
  key: string,
): string {
  return `Ref/${apiVersion}/${kind}/${key}`;
}

function notFound(message: string): Address {
  return { ok: false, reason: 'RefNotFound', message };
}
