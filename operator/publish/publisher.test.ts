import { expect, test } from 'vitest';
import { ApiError } from '../../receiver/kube/api-error.ts';
import type { ApiRequest, KubeClient } from '../../receiver/kube/client.ts';
import {
  decodeShard,
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
const NOW = Date.parse('2026-03-01T12:00:00.500Z');
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
        now: () => NOW,
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
    /** What receivers take: the names of all entries. */
    names(): readonly string[] {
      return Object.keys(this.index().digests)
        .flatMap((shard) => decodeShard(bytesOf(shardSecretName(Number(shard)))))
        .map(({ name }) => name)
        .toSorted();
    },
    /** Another hand makes these Secrets as the chart brings them. */
    empty(isMeant: (name: string) => boolean): void {
      for (const [name, stored] of secrets) {
        if (isMeant(name)) secrets.set(name, { version: stored.version + 1, data: {} });
      }
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

test('what a former leader writes late is taken back by the next write', async () => {
  const cluster = createCluster();
  const former = await started(cluster.publisher());
  await former.publish('EventTrigger/shop/w', triggerEntry({ name: 'w' }));
  const leader = await started(cluster.publisher());
  await leader.publish(X, triggerEntry({ name: 'x' }));
  await leader.publish('EventTrigger/shop/y', triggerEntry({ name: 'y' }));

  // It writes what it holds to be the table: whole, but not the leader's.
  await former.publish('EventTrigger/shop/z', triggerEntry({ name: 'z' }));
  expect(cluster.torn()).toEqual([]);
  expect(cluster.names()).toEqual(['w', 'z']);
  const late = cluster.index().revision;

  await leader.publish('EventTrigger/shop/w', undefined);
  expect(cluster.torn()).toEqual([]);
  expect(cluster.names()).toEqual(['x', 'y']);
  // Who runs the revision in between does not run x, though x was first published before it.
  const { revision } = await leader.publish(X, triggerEntry({ name: 'x' }));
  expect(revision).toBe(cluster.index().revision);
  expect(revision).toBeGreaterThan(late);
});

test('an index of another hand is noticed without a change to write', async () => {
  const cluster = createCluster();
  const former = await started(cluster.publisher());
  await former.publish('EventTrigger/shop/w', triggerEntry({ name: 'w' }));
  let written = Promise.withResolvers<number>();
  const leader = await started(cluster.publisher((revision) => written.resolve(revision)));
  await leader.publish(X, triggerEntry({ name: 'x' }));
  await former.publish('EventTrigger/shop/z', triggerEntry({ name: 'z' }));
  expect(cluster.names()).toEqual(['w', 'z']);

  written = Promise.withResolvers();
  leader.check();
  expect(await written.promise).toBe(cluster.index().revision);
  expect(cluster.names()).toEqual(['w', 'x']);

  // Nothing differs now: nothing is written.
  const { revision } = cluster.index();
  leader.check();
  await leader.publish(X, triggerEntry({ name: 'x' }));
  expect(cluster.index().revision).toBe(revision);
});

test.each([
  ['all', () => true],
  ['the shards', (name: string) => name !== INDEX_SECRET_NAME],
  ['the index', (name: string) => name === INDEX_SECRET_NAME],
])('Secrets that were emptied, %s of them, are filled by the next write', async (_which, isMeant) => {
  const cluster = createCluster();
  const publisher = await started(cluster.publisher());
  const names = Array.from({ length: 100 }, (_, i) => `t${i}`);
  await Promise.all(
    names.map((name) => publisher.publish(`EventTrigger/shop/${name}`, triggerEntry({ name }))),
  );
  cluster.empty(isMeant);
  await publisher.publish('EventTrigger/shop/t0', triggerEntry({ name: 't0', suspend: true }));
  expect(cluster.torn()).toEqual([]);
  expect(cluster.names()).toEqual(names.toSorted());
  expect(publisher.trouble).toBeUndefined();
});

test('who waits for a change that came with the stop is told', async () => {
  const cluster = createCluster();
  const publisher = await started(cluster.publisher());
  await publisher.publish(X, triggerEntry({ name: 'x' }));
  const refused = cluster.indexRefused();
  const first = publisher.publish(X, undefined);
  await refused;
  const second = publisher.publish(X, triggerEntry({ name: 'x' }));
  const told = Promise.allSettled([first, second]);
  await publisher.stop();
  expect((await told).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('a table that starts anew starts above what receivers keep of one before', async () => {
  const cluster = createCluster();
  const publisher = await started(cluster.publisher());
  const { revision } = await publisher.publish(X, triggerEntry({ name: 'x' }));
  expect(revision).toBe(Date.parse('2026-03-01T12:00:00Z') / 1000);
  await publisher.publish(X, undefined);
  const restarted = await started(cluster.publisher());
  expect(restarted.revision).toBe(revision + 1);
});

test('the revision of each entry is remembered until its resource is gone', async () => {
  const cluster = createCluster();
  const former = await started(cluster.publisher());
  const { revision: loaded } = await former.publish('EventTrigger/shop/w', triggerEntry({ name: 'w' }));
  const publisher = await started(cluster.publisher());
  const x = triggerEntry({ name: 'x' });
  const came = await publisher.publish(X, x);
  await publisher.publish('EventTrigger/shop/y', triggerEntry({ name: 'y' }));
  expect(await publisher.publish(X, x)).toEqual(came);
  const went = await publisher.publish(X, undefined);
  expect(went.revision).toBeGreaterThan(came.revision);
  expect(await publisher.publish(X, undefined)).toEqual(went);
  publisher.forget(X);
  expect(await publisher.publish(X, undefined)).toEqual({ revision: loaded, full: false });
});
