import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../receiver/kube/api-error.ts';
import type { ApiRequest, KubeClient } from '../../receiver/kube/client.ts';
import { createElector } from './elector.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([-60_000, 60_000])(
  'a lead is lost after 7 s, wherever the time of day is set to (%i)',
  async (stepMs) => {
    let cut = false;
    const client: KubeClient = {
      async json<T>({ method, body }: ApiRequest) {
        if (cut) throw new Error('connect ETIMEDOUT');
        if (method === undefined) throw new ApiError(404, 'NotFound', 'no Lease');
        return { ...(body as object), metadata: { resourceVersion: '1' } } as T;
      },
      stream: () => Promise.reject(new Error('nothing to watch')),
      async close() {},
    };
    const elector = createElector({
      client,
      namespace: 'signalbox',
      identity: 'a',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      now: Date.now,
      clock: () => performance.now(),
      random: Math.random,
    });
    let leads = false;
    const running = elector.run(async (lost) => {
      leads = true;
      await new Promise((resolve) => lost.addEventListener('abort', resolve, { once: true }));
      leads = false;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(leads).toBe(true);
    vi.setSystemTime(Date.now() + stepMs);
    await vi.advanceTimersByTimeAsync(4000);
    expect(leads).toBe(true);
    cut = true;
    vi.setSystemTime(Date.now() + stepMs);
    await vi.advanceTimersByTimeAsync(3000);
    expect(leads).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect(leads).toBe(false);
    elector.stop();
    await vi.runAllTimersAsync();
    await running;
  },
);
