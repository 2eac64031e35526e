import { describe, expect, it } from 'vitest';
import { leavesNamespace } from './cluster-host.ts';

describe('a host', () => {
  it.each([
    ['orders.other.svc', /namespace other/],
    ['orders.other.svc.cluster.local', /namespace other/],
    ['ORDERS.OTHER.SVC.cluster.local.', /namespace other/],
    ['pod-0.orders.other.svc.cluster.local', /namespace other/],
    ['10-1-2-3.other.pod.cluster.local', /namespace other/],
    ['orders', /no dot/],
    ['kubernetes.', /no dot/],
  ])('%s leaves the namespace', (host, why) => expect(leavesNamespace(host, 'shop')).toMatch(why));

  it.each([
    'orders.shop.svc',
    'orders.shop.svc.cluster.local',
    'example.com',
    'svc.example.com',
    'orders.shop',
  ])('%s does not, by its name', (host) => expect(leavesNamespace(host, 'shop')).toBeUndefined());
});
