import { describe, expect, it } from 'vitest';
import { endpointEntry, triggerEntry } from '../../receiver/routing/testing.ts';
import { endpointFromEntries, endpointUrl } from './endpoint.ts';

const NOW = 1_000;
const KEY = Buffer.from('k').toString('base64');
const CHOICE = { to: undefined, key: undefined, url: 'http://127.0.0.1:8080' };
const hooks = endpointEntry({
  keys: [
    { name: 'old', secret: KEY, notAfter: NOW },
    { name: 'new', secret: KEY },
  ],
});
const other = endpointEntry({ namespace: 'ci', name: 'github', source: 'ci.github', scheme: 'GitHub' });

describe('endpointFromEntries', () => {
  it('finds the only endpoint, and the first key in force', () => {
    expect(endpointFromEntries([triggerEntry(), hooks], CHOICE, NOW)).toEqual({
      url: 'http://127.0.0.1:8080/e/shop.hooks',
      scheme: 'Emporix',
      key: { name: 'new', secret: KEY },
    });
  });

  it('takes the one that is named, and the key that is named whether in force or not', () => {
    const found = endpointFromEntries([hooks, other], { ...CHOICE, to: 'shop/hooks', key: 'old' }, NOW);
    expect(found.key?.name).toBe('old');
    expect(endpointFromEntries([hooks, other], { ...CHOICE, to: 'github' }, NOW).scheme).toBe('GitHub');
  });

  it.each([
    [[hooks, other], {}, 'Say which endpoint with --to: shop/hooks, ci/github.'],
    [
      [hooks, other],
      { to: 'shop/x' },
      '--to shop/x names no single endpoint; there is shop/hooks, ci/github.',
    ],
    [[hooks], { key: 'x' }, 'WebhookSecret shop/hooks has no key x; there is old, new.'],
    [
      [endpointEntry({ keys: [] })],
      {},
      'WebhookSecret shop/hooks has no key in force to sign with; check spec.secrets.',
    ],
    [[], {}, 'The files hold no WebhookSecret that can run; give others with -f.'],
  ])('says what there is: %#', (entries, choice, message) => {
    expect(() => endpointFromEntries(entries, { ...CHOICE, ...choice }, NOW)).toThrow(message);
  });
});

describe('endpointUrl', () => {
  it('adds the path to a base and leaves an endpoint as it is', () => {
    expect(endpointUrl('http://h:1', 'a b')).toBe('http://h:1/e/a%20b');
    expect(endpointUrl('https://h/hooks/x', 'a')).toBe('https://h/hooks/x');
    expect(() => endpointUrl('h:1', 'a')).toThrow('--url h:1 is no address');
  });
});
