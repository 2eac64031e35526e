import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { createWatch, type Watchable } from './watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watch of an empty collection whose every stream is answered as told; it has run for so long. */
async function asked(ms: number, stream: (nth: number) => Readable) {
  const seen: string[] = [];
  let lists = 0;
  let streams = 0;
  const client: KubeClient = {
    async json<T>() {
      lists += 1;
      return { metadata: { resourceVersion: `${lists}` }, items: [] } as T;
    },
    stream: async ({ query, signal }) => {
      streams += 1;
      seen.push(String(query?.['resourceVersion']));
      const body = stream(streams);
      signal?.addEventListener('abort', () => body.destroy(new Error('aborted')));
      return body;
    },
    async close() {},
  };
  const watch = createWatch<Watchable, true>({
    client,
    collection: { path: '/api/v1/secrets' },
    keep: () => true,
    changed() {},
    log: { warn() {} },
    now: Date.now,
    random: () => 1,
  });
  watch.start();
  await vi.advanceTimersByTimeAsync(ms);
  const { trouble } = watch;
  const stopped = watch.stop();
  await vi.runAllTimersAsync();
  await stopped;
  return { lists, streams, seen, trouble };
}

const refuse = (status: number, retryAfter?: string) => (): Readable => {
  throw ApiError.from(status, '{"message":"no"}', { path: '/' }, retryAfter);
};
const BOOKMARK = JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } });

it('pauses longer and longer where each watch ends at once', async () => {
  const { lists, streams, trouble } = await asked(30_000, () => Readable.from([]));
  // After 0.2, 0.6, 1.4, 3, 6.2 s, then every 5 s.
  expect({ lists, streams }).toEqual({ lists: 1, streams: 10 });
  expect(trouble).toBe('the API server ended the watch at once');
});

it.each([401, 403, 429, 502, 503])(
  'lists nothing again where watching is refused with %i',
  async (status) => {
    expect(await asked(30_000, refuse(status))).toMatchObject({ lists: 1, streams: 10 });
  },
);

it.each([400, 404, 410, 500, 504])('lists again after %i, and pauses longer and longer', async (status) => {
  expect(await asked(30_000, refuse(status))).toMatchObject({ lists: 10, streams: 10 });
});

it('waits for as long as Retry-After asks', async () => {
  expect(await asked(5100, refuse(429, '5'))).toMatchObject({ streams: 1 });
  expect(await asked(5300, refuse(429, '5'))).toMatchObject({ streams: 2 });
  expect(await asked(30_100, refuse(429, '86400'))).toMatchObject({ streams: 1 });
  expect(await asked(30_300, refuse(429, '86400'))).toMatchObject({ streams: 2 });
});

it('goes on at once, and from where it was, after a watch that told something', async () => {
  const { lists, seen } = await asked(0, (nth) =>
    nth < 4 ? Readable.from([`${BOOKMARK}\n`]) : new Readable({ read() {} }),
  );
  expect({ lists, seen }).toEqual({ lists: 1, seen: ['1', '7', '7', '7'] });
});
