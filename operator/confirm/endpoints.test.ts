import { expect, test } from 'vitest';
import { readyReceivers } from './endpoints.ts';

const PORTS = [{ name: 'admin', port: 9090 }];

test('ready endpoints are told by pod and admin port', () => {
  const endpoints = [
    { addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { name: 'receiver-0' } },
    { addresses: ['10.0.0.2'], conditions: { ready: false } },
    { addresses: ['10.0.0.3'] },
  ];
  expect(readyReceivers({ metadata: {}, addressType: 'IPv4', endpoints, ports: PORTS })).toEqual([
    { name: 'receiver-0', url: 'http://10.0.0.1:9090' },
    { name: '10.0.0.3', url: 'http://10.0.0.3:9090' },
  ]);
});

test('IPv6 is bracketed, and a slice without the admin port has no receivers', () => {
  const slice = { metadata: {}, addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] };
  expect(readyReceivers({ ...slice, ports: PORTS })[0]?.url).toBe('http://[fd00::1]:9090');
  expect(readyReceivers({ ...slice, ports: [{ name: 'public', port: 8080 }] })).toEqual([]);
});
