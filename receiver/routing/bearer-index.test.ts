import { describe, expect, it } from 'vitest';
import { buildRuntime } from './runtime.ts';
import type { EndpointEntry } from './table.ts';
import { endpointEntry } from './testing.ts';

function key(token: string, over: Partial<EndpointEntry['keys'][number]> = {}) {
  return { name: token, secret: Buffer.from(token).toString('base64'), ...over };
}

function runtimeOf(...entries: readonly Partial<EndpointEntry>[]) {
  return buildRuntime({ version: 1, revision: 1, entries: entries.map((entry) => endpointEntry(entry)) });
}

const show = (token: string) => ({
  headers: { authorization: `Bearer ${token}` },
  url: '/ojs/v1/cloudevents',
});

describe('the endpoint of a Bearer token', () => {
  const runtime = runtimeOf(
    { name: 'a', source: 'a', scheme: 'Bearer', keys: [key('old'), key('new')] },
    { name: 'b', source: 'b', scheme: 'Bearer', keys: [key('old', { heldBy: 'shop/a' }), key('own\n')] },
    { name: 'c', source: 'c', scheme: 'GitLab', keys: [key('other')] },
  );
  const found = (token: string) => runtime.bearerEndpoint(show(token))?.entry.source;

  it('is the one that has it, by any of its keys', () => {
    expect([found('old'), found('new'), found('own')]).toEqual(['a', 'a', 'b']);
  });

  it('is found by the query parameter, too', () => {
    const request = { headers: {}, url: '/ojs/v1/cloudevents?access_token=own' };
    expect(runtime.bearerEndpoint(request)?.entry.source).toBe('b');
  });

  it('is none for another token, another scheme, and no token', () => {
    expect([found('x'), found('other'), found('toString')]).toEqual([undefined, undefined, undefined]);
    expect(runtime.bearerEndpoint({ headers: {}, url: '/' })).toBeUndefined();
  });
});
