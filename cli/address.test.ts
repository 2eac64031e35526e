import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['8080', { host: '127.0.0.1', port: 8080 }],
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
  ])('%s', (text, address) => {
    expect(parseAddress(text, '--public')).toEqual(address);
  });

  it.each(['', 'host', 'host:', 'host:65536', '::1:80', '[::1]', '[x]:80', 'a:b:1', 'http://h:1'])(
    'refuses %j',
    (text) => {
      expect(() => parseAddress(text, '--public')).toThrow(/^--public .* is no address/);
    },
  );
});

describe('formatAddress', () => {
  it('puts IPv6 in brackets', () => {
    expect(formatAddress({ host: '::1', port: 80 })).toBe('[::1]:80');
    expect(formatAddress({ host: '127.0.0.1', port: 80 })).toBe('127.0.0.1:80');
  });
});
