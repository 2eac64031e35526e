import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { corePath } from '../../receiver/kube/collection.ts';
import {
  decodeShard,
  digestOf,
  INDEX_SECRET_NAME,
  SECRET_DATA_KEY,
  SHARD_COUNT,
  shardSecretName,
  type TableIndex,
} from '../../receiver/routing/shards.ts';
import { type Entry, entryKey, TABLE_VERSION } from '../../receiver/routing/table.ts';

/** The routing table as it lies in the cluster. */
export interface StoredTable {
  readonly revision: number;
  readonly digests: Readonly<Record<string, string>>;
  /** `Kind/namespace/name` → the entry as JSON: as objects, ten thousand would be most of the operator's memory. */
  readonly texts: ReadonlyMap<string, string>;
  /** Shards that are not as the index says: an operator ended between the shard and the index. */
  readonly torn: ReadonlySet<number>;
}

/** Reads and writes the Secrets of the routing table. Every write is conditional on what was last read or written. */
export interface RoutingSecrets {
  read(): Promise<StoredTable>;
  /** Throws ApiError 409 where someone else has written the Secret: read it again first. */
  writeShard(shard: number, bytes: Buffer): Promise<void>;
  writeIndex(index: TableIndex): Promise<void>;
  /** The index as it lies there now. */
  readIndex(): Promise<Pick<TableIndex, 'revision' | 'digests'>>;
}

interface StoredSecret {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

const LABELS = { 'app.kubernetes.io/part-of': 'signalbox', 'signalbox.dev/routing': 'table' };

/**
 * The chart creates the Secrets; where one is missing (development, tests, a first start without the chart) it is
 * created here, if the operator's Role lets it.
 */
export function createRoutingSecrets(client: KubeClient, namespace: string): RoutingSecrets {
  /** The resourceVersion of each Secret by name; undefined: it does not exist. */
  const versions = new Map<string, string | undefined>();

  async function get(name: string): Promise<Buffer | undefined> {
    try {
      const secret = await client.json<StoredSecret>({ path: corePath('secrets', namespace, name) });
      versions.set(name, secret.metadata.resourceVersion);
      const data = secret.data?.[SECRET_DATA_KEY];
      return data === undefined ? undefined : Buffer.from(data, 'base64');
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      versions.set(name, undefined);
      return undefined;
    }
  }

  async function put(name: string, bytes: Uint8Array): Promise<void> {
    const data = { [SECRET_DATA_KEY]: Buffer.from(bytes).toString('base64') };
    const resourceVersion = versions.get(name);
    const secret =
      resourceVersion === undefined
        ? await client.json<StoredSecret>({
            method: 'POST',
            path: corePath('secrets', namespace),
            body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels: LABELS }, data },
          })
        : await client.json<StoredSecret>({
            method: 'PATCH',
            path: corePath('secrets', namespace, name),
            // A merge keeps the labels and annotations that the chart gave the Secret.
            contentType: 'application/merge-patch+json',
            body: { metadata: { resourceVersion }, data },
          });
    versions.set(name, secret.metadata.resourceVersion);
  }

  return {
    async read() {
      const [index, ...shards] = await Promise.all([
        get(INDEX_SECRET_NAME),
        ...Array.from({ length: SHARD_COUNT }, (_, shard) => get(shardSecretName(shard))),
      ]);
      const { revision, digests } = readIndex(index);
      const torn = new Set<number>();
      const texts = new Map<string, string>();
      shards.forEach((bytes, shard) => {
        const digest = bytes === undefined ? undefined : digestOf(bytes);
        const entries = bytes === undefined ? [] : readShard(bytes);
        for (const entry of entries ?? []) texts.set(entryKey(entry), JSON.stringify(entry));
        // An empty shard has no digest in the index, but may well have bytes.
        const empty = digests[shard] === undefined && (entries ?? []).length === 0;
        if (!empty && (entries === undefined || digest !== digests[shard])) torn.add(shard);
      });
      return { revision, digests, texts, torn };
    },
    writeShard: (shard, bytes) => put(shardSecretName(shard), bytes),
    writeIndex: (index) => put(INDEX_SECRET_NAME, Buffer.from(JSON.stringify(index))),
    readIndex: async () => readIndex(await get(INDEX_SECRET_NAME)),
  };
}

function readIndex(bytes: Buffer | undefined): Pick<TableIndex, 'revision' | 'digests'> {
  if (bytes === undefined || bytes.length === 0) return { revision: 0, digests: {} };
  try {
    const { version, revision, digests } = JSON.parse(bytes.toString()) as Partial<TableIndex>;
    if (revision !== undefined && Number.isSafeInteger(revision)) {
      return { revision, digests: version === TABLE_VERSION ? (digests ?? {}) : {} };
    }
  } catch {
    // Told below.
  }
  // Not ours to repair byte by byte: everything is written anew.
  return { revision: 0, digests: {} };
}

function readShard(bytes: Buffer): readonly Entry[] | undefined {
  try {
    return decodeShard(bytes);
  } catch {
    return undefined;
  }
}
