import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { createAddressables } from './addressables.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };

it('waits for a kind that may not be listed once, and not for each ref to it', async () => {
  const mayList = { brokers: false };
  const client: KubeClient = {
    async json<T>({ path }: { readonly path: string }) {
      if (!path.endsWith('/brokers'))
        return { resources: [{ name: 'brokers', kind: 'Broker', namespaced: true }] } as T;
      if (!mayList.brokers) throw ApiError.from(403, '{}', { path });
      const metadata = { namespace: 'shop', name: 'default', resourceVersion: '1' };
      const items = [{ metadata, status: { address: { url: 'http://broker/' } } }];
      return { metadata: { resourceVersion: '1' }, items } as T;
    },
    async stream({ signal }) {
      const body = new Readable({ read() {} });
      signal?.addEventListener('abort', () => body.destroy(new Error('aborted')));
      return body;
    },
    async close() {},
  };
  const changed: string[] = [];
  const addressables = createAddressables({
    client,
    watchNamespace: undefined,
    changed: (thing) => changed.push(thing),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    now: Date.now,
    random: () => 1,
  });
  const answers: string[] = [];
  const ask = async () => {
    const address = await addressables.addressOf('shop', BROKER);
    answers.push(address.ok ? address.url : address.message);
  };
  void ask();
  void ask();
  await vi.advanceTimersByTimeAsync(4999);
  expect(answers).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  const away = 'Broker "default" could not be read: let the operator list and watch Broker';
  expect(answers).toEqual([away, away]);
  void ask();
  await vi.advanceTimersByTimeAsync(0);
  expect(answers).toEqual([away, away, away]);
  mayList.brokers = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(changed).toEqual(['Ref/eventing.knative.dev/v1/Broker/shop/default']);
  void ask();
  await vi.advanceTimersByTimeAsync(0);
  expect(answers.at(-1)).toBe('http://broker/');
  const stopped = addressables.stop();
  await vi.runAllTimersAsync();
  await stopped;
});
