import { expect, test } from 'vitest';
import { serviceAddress } from './service-address.ts';

const PLACE = { namespace: 'shop', name: 'ojs', domain: 'cluster.local' };

test.each([
  [[{ port: 80 }, { port: 9000 }], 'http://ojs.shop.svc.cluster.local'],
  [[{ port: 8585 }], 'http://ojs.shop.svc.cluster.local:8585'],
  [[{ port: 9000 }, { name: 'http', port: 8080 }], 'http://ojs.shop.svc.cluster.local:8080'],
])('ports %j lead to %s', (ports, url) => {
  expect(serviceAddress({ ports }, PLACE)).toEqual({ ok: true, url });
});

test('a Service that is missing, or leaves the port open, is told by name', () => {
  for (const service of [undefined, { ports: [{ port: 1 }, { port: 2 }] }]) {
    expect(serviceAddress(service, PLACE)).toMatchObject({
      ok: false,
      reason: 'RefNotFound',
      message: expect.stringContaining('"ojs"'),
    });
  }
});
