import { expect, test } from 'vitest';
import { ApiError } from '../../receiver/kube/api-error.ts';
import type { ApiRequest, KubeClient } from '../../receiver/kube/client.ts';
import {
  digestOf,
  INDEX_SECRET_NAME,
  SECRET_DATA_KEY,
  SHARD_COUNT,
  shardSecretName,
  type TableIndex,
} from '../../receiver/routing/shards.ts';
import { triggerEntry } from '../../receiver/routing/testing.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { createRoutingSecrets } from './routing-secrets.ts';

const X = 'EventTrigger/shop/x';
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

interface Stored {
  version: number;
  data: Readonly<Record<string, string>>;
}

/** The Secrets as the chart makes them, behind an API server that refuses writes of an old version. */
function createCluster() {
  const secrets = new Map<string, Stored>();
  const names = [INDEX_SECRET_NAME, ...Array.from({ length: SHARD_COUNT }, (_, i) => shardSecretName(i))];
  for (const name of names) secrets.set(name, { version: 1, data: {} });
  let refusedIndex: (() => void) | undefined;

  function answer({ method, path, body }: ApiRequest): unknown {
    const name = path.split('/').at(-1) ?? '';
    const stored = secrets.get(name);
    if (stored === undefined) throw new ApiError(404, 'NotFound', name);
    if (method === 'PATCH') {
      const { metadata, data } = body as { metadata: { resourceVersion: string }; data: Stored['data'] };
      if (name === INDEX_SECRET_NAME && refusedIndex !== undefined) {
        refusedIndex();
        throw new ApiError(503, 'ServiceUnavailable', name);
      }
      if (metadata.resourceVersion !== String(stored.version)) throw new ApiError(409, 'Conflict', name);
      stored.version += 1;
      stored.data = data;
    }
    return { metadata: { resourceVersion: String(stored.version) }, data: stored.data };
  }
  const client: KubeClient = {
    json: async <T>(request: ApiRequest) => answer(request) as T,
    stream: () => Promise.reject(new Error('nothing is watched')),
    close: () => Promise.resolve(),
  };

  function bytesOf(name: string): Buffer {
    return Buffer.from(secrets.get(name)?.data[SECRET_DATA_KEY] ?? '', 'base64');
  }

  return {
    publisher: (written: (revision: number) => void = () => undefined): Publisher =>
      createPublisher({
        secrets: createRoutingSecrets(client, 'signalbox'),
        written,
        log: SILENT,
        random: Math.random,
      }),
    index: () => JSON.parse(bytesOf(INDEX_SECRET_NAME).toString()) as TableIndex,
    /** Shards that no receiver takes: they are not as the index says. */
    torn(): readonly string[] {
      const { digests } = this.index();
      return Object.keys(digests).filter(
        (shard) => digestOf(bytesOf(shardSecretName(Number(shard)))) !== digests[shard],
      );
    },
    /** The index cannot be written any more; resolves when that was tried. */
    indexRefused: () =>
      new Promise<void>((resolve) => {
        refusedIndex = resolve;
      }),
    indexTaken(): void {
      refusedIndex = undefined;
    },
  };
}

async function started(publisher: Publisher): Promise<Publisher> {
  await publisher.load();
  if (publisher.held) publisher.release();
  return publisher;
}

test('an operator that ended between the last shard and the index is finished by the next', async () => {
  const cluster = createCluster();
  const first = await started(cluster.publisher());
  await first.publish(X, triggerEntry({ name: 'x' }));
  const refused = cluster.indexRefused();
  const removed = first.publish(X, undefined);
  await refused;
  await Promise.all([first.stop(), expect(removed).rejects.toThrow('the operator stops')]);
  cluster.indexTaken();
  expect(cluster.torn()).toHaveLength(1);

  const written = Promise.withResolvers<number>();
  const second = await started(cluster.publisher(written.resolve));
  expect([...second.keys()]).toEqual([]);
  await written.promise;
  expect(cluster.index().digests).toEqual({});
});
