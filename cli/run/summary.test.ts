import { describe, expect, it } from 'vitest';
import { endpointEntry, triggerEntry } from '../../receiver/routing/testing.ts';
import { listenerSummary, summary } from './summary.ts';

const URL = 'http://127.0.0.1:9900/';

describe('summary', () => {
  it('shows each endpoint with its URL and each trigger with its target', () => {
    const entries = [
      endpointEntry(),
      endpointEntry({ name: 'broken', source: 'broken', cannotVerify: 'no key' }),
      triggerEntry(),
      triggerEntry({
        name: 'job',
        shape: { job: { type: 'order.pack' } },
        destination: { kind: 'job', url: URL, headers: [] },
      }),
      triggerEntry({
        name: 'waiting',
        from: { webhookSecrets: [], eventBridges: [], cluster: { dedup: { enabled: true, windowMs: 1 } } },
        shape: {
          job: { types: ['a', 'b', 'b', 'c', 'd'].map((jobType) => ({ eventType: jobType, jobType })) },
        },
        destination: { kind: 'job', url: '', headers: [], unresolved: 'a ref needs a cluster' },
      }),
      triggerEntry({ name: 'deaf' }),
    ];
    const troubles = new Map([['EventTrigger/shop/deaf', 'nothing comes in']]);
    const around = { publicUrl: 'http://hooks.test', clusterUrl: 'http://cluster.test', troubles };
    expect(summary(entries, around).split('\n')).toEqual([
      'Endpoints',
      '  shop/hooks   Emporix  http://hooks.test/e/shop.hooks',
      '  shop/broken  Emporix  http://hooks.test/e/broken      answers 503: no key',
      'Triggers',
      '  shop/forward  hooks → sink http://127.0.0.1:9900/',
      '  shop/job      hooks → job order.pack at http://127.0.0.1:9900/',
      '  shop/waiting  http://cluster.test/triggers/shop/waiting → job a, b, c, …  a ref needs a cluster',
      '  shop/deaf     hooks → sink http://127.0.0.1:9900/                         nothing comes in',
    ]);
  });
});

describe('listenerSummary', () => {
  it('shows what is open', () => {
    expect(listenerSummary({ public: 'http://a', admin: undefined }, 'data')).toBe(
      'Listeners\n  public  http://a\n  data    data',
    );
  });
});
