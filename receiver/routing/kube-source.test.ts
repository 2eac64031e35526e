import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../kube/api-error.ts';
import type { ApiRequest, KubeClient } from '../kube/client.ts';
import { createLog } from '../observe/log.ts';
import { createKubeSource } from './kube-source.ts';
import { INDEX_SECRET_NAME, SECRET_DATA_KEY } from './shards.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How often a shard was read, and what was logged, in 30 s with this index and no shards. */
async function looks(index: object): Promise<{ readonly reads: number; readonly lines: number }> {
  let reads = 0;
  let lines = 0;
  const secret = {
    metadata: { name: INDEX_SECRET_NAME, namespace: 'sb', resourceVersion: '1' },
    data: { [SECRET_DATA_KEY]: Buffer.from(JSON.stringify(index)).toString('base64') },
  };
  const client: KubeClient = {
    async json<T>({ query }: ApiRequest) {
      if (query !== undefined) return { metadata: { resourceVersion: '1' }, items: [secret] } as T;
      reads += 1;
      throw new ApiError(404, 'NotFound', 'no such Secret');
    },
    async stream({ signal }) {
      const body = new Readable({ read() {} });
      signal?.addEventListener('abort', () => body.destroy(new Error('aborted')));
      return body;
    },
    async close() {},
  };
  const source = createKubeSource({
    client,
    namespace: 'sb',
    file: { load: async () => undefined, save: async () => undefined },
    apply() {},
    log: createLog('info', { write: () => (lines += 1) }),
    now: Date.now,
    random: () => 1,
  });
  await source.start();
  await vi.advanceTimersByTimeAsync(30_000);
  const seen = { reads, lines };
  await source.stop();
  expect(vi.getTimerCount()).toBe(0);
  return seen;
}

it('looks at a table that is not whole more and more seldom', async () => {
  // At once, after 0.25, 0.75, 1.75, 3.75, 7.75, 15.75 and 25.75 s.
  expect((await looks({ version: 1, revision: 1, digests: { 0: 'torn' } })).reads).toBe(8);
});

it('says of a table of another version once that it is', async () => {
  expect(await looks({ version: 2, revision: 1, digests: {} })).toEqual({ reads: 0, lines: 1 });
});
