import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CloudEvent } from '../event/event.ts';
import type { HmacRecipe, KeyMaterial, Signing } from '../routing/table.ts';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { compileVerifier } from '../verify/schemes.ts';
import { keyOf } from '../verify/testing.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import { createAttempts, type Outcome } from './attempt.ts';
import { createClient } from './client.ts';
import type { OutboundClient } from './outbound.ts';
import { systemTimer } from './outbound.ts';
import { compileShape } from './shape/compile-shape.ts';

const NOW = 1_700_000_000_000;
const STANDARD = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const { privateKey } = generateKeyPairSync('ed25519');
const ED25519 = `whsk_${Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url').toString('base64')}`;

let server: Server;
let base: string;
let client: OutboundClient;
let arrived: SignedRequest[];
let status: number;

beforeEach(async () => {
  arrived = [];
  status = 202;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      arrived.push({ method, url, headers, body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
});

afterEach(async () => {
  await client.close();
  server.close();
});

const attributes = {
  specversion: '1.0',
  id: 'evt.1',
  source: '/shop;1',
  type: 'order.created',
  subject: 'Zoë 50%',
  datacontenttype: 'application/json',
};

/** One attempt at delivering an event to the server, at a time. */
function deliver(
  sign: Signing,
  { format = 'binary', now = NOW }: { format?: 'binary' | 'structured'; now?: number } = {},
): Promise<Outcome> {
  const renderer = compileShape({ sink: { format } });
  if (!renderer.ok) throw new Error('no renderer');
  const observer = {
    attempted: () => undefined,
    tried: () => undefined,
    ended: () => undefined,
    dead: () => undefined,
  };
  const attempts = createAttempts({
    client,
    observer,
    now: () => now,
    random: () => 0.5,
    setTimer: systemTimer,
  });
  const event = new CloudEvent(attributes, Buffer.from('{"b":1, "a":[2,{"z":1,"y":2}]}'), () => null);
  const delivery = {
    id: 1,
    trigger: 'shop/forward',
    shape: 's',
    event,
    entrance: 'e',
    receivedAt: now,
    attempts: 0,
  };
  const destination = {
    kind: 'sink',
    url: `${base}/in?a=b`,
    headers: [{ name: 'X-Topic', value: 'orders' }],
    sign,
  } as const;
  const route = { suspend: false, destination, policy: POLICY };
  return new Promise((resolve) => attempts.run(delivery, route, renderer.value, resolve));
}

function verify(signing: Signing, request: SignedRequest | undefined, now = NOW) {
  const verifier = compileVerifier(endpointEntry({ ...signing, publicUrl: base }));
  if (!verifier.ok || request === undefined) throw new Error('cannot be verified');
  return verifier.value.verify(request, now);
}

const RECIPE: HmacRecipe = {
  header: 'X-Partner-Signature',
  fields: { timestamp: 't', signature: 'v1', id: 'i' },
  signedContent: '{timestamp}.{id}.{header:X-Topic}.{header:ce-type}.{url}.{body}',
};

const SCHEMES: readonly { readonly scheme: string; readonly key: string; readonly hmac?: HmacRecipe }[] = [
  { scheme: 'Emporix', key: 'k' },
  { scheme: 'EmporixCommerce', key: 'k' },
  { scheme: 'GitHub', key: 'k' },
  { scheme: 'GitLab', key: 'token' },
  { scheme: 'GitLab', key: `whsec_${STANDARD}` },
  { scheme: 'Stripe', key: 'whsec_k' },
  { scheme: 'Slack', key: 'k' },
  { scheme: 'Shopify', key: 'k' },
  { scheme: 'StandardWebhooks', key: STANDARD },
  { scheme: 'StandardWebhooks', key: ED25519 },
  { scheme: 'Twilio', key: 'k' },
  { scheme: 'OJS', key: 'k' },
  { scheme: 'Convoy', key: 'k' },
  { scheme: 'SignedHeaders', key: STANDARD },
  { scheme: 'Basic', key: 'user:pass:word' },
  { scheme: 'Bearer', key: 'token' },
  { scheme: 'HMAC', key: 'k', hmac: RECIPE },
];

function signingOf(scheme: string, keys: readonly KeyMaterial[], hmac?: HmacRecipe): Signing {
  return hmac === undefined ? { scheme, keys } : { scheme, keys, hmac };
}

describe('what leaves signed', () => {
  it.each(SCHEMES)('is taken by our own verifier: $scheme with $key', async ({ scheme, key, hmac }) => {
    const signing = signingOf(scheme, [keyOf(key)], hmac);
    for (const format of ['binary', 'structured'] as const) {
      // A recipe that signs a header of binary mode has nothing to sign in the other.
      if (hmac !== undefined && format === 'structured') continue;
      expect(await deliver(signing, { format })).toMatchObject({ state: 'delivered' });
      const request = arrived.at(-1);
      expect(await verify(signing, request)).toMatchObject({ ok: true, key: 'current' });
      const body = Buffer.concat([request?.body ?? Buffer.alloc(0), Buffer.from('x')]);
      const tokens = ['Basic', 'Bearer'].includes(scheme) || key === 'token';
      if (request !== undefined && !tokens)
        expect(await verify(signing, { ...request, body })).toMatchObject({ ok: false });
    }
  });

  it('is signed anew at each attempt, under the same id', async () => {
    const signing = signingOf('StandardWebhooks', [keyOf(STANDARD)]);
    status = 500;
    expect(await deliver(signing)).toMatchObject({ state: 'waiting' });
    await deliver(signing, { now: NOW + 3_600_000 });
    const [first, second] = arrived;
    expect(first?.headers['webhook-id']).toBe(second?.headers['webhook-id']);
    expect(first?.headers['webhook-id']).toBe(first?.headers['idempotency-key']);
    expect(await verify(signing, second, NOW + 3_600_000)).toMatchObject({ ok: true });
    expect(await verify(signing, second)).toMatchObject({ ok: false });
  });

  it('carries one signature per key where the scheme can, of both kinds', async () => {
    const keys = [
      keyOf(STANDARD, { name: 'old' }),
      keyOf(ED25519, { name: 'pair' }),
      keyOf('c2VjcmV0', { name: 'new' }),
      keyOf('ZW5kZWQ=', { name: 'ended', notAfter: NOW }),
    ];
    await deliver(signingOf('StandardWebhooks', keys));
    const signature = String(arrived[0]?.headers['webhook-signature']);
    expect(
      signature
        .split(' ')
        .map((one) => one.split(',')[0])
        .sort(),
    ).toEqual(['v1', 'v1', 'v1a']);
    for (const key of keys.slice(0, 3)) {
      const one = signingOf('StandardWebhooks', [key]);
      expect(await verify(one, arrived[0])).toMatchObject({ ok: true, key: key.name });
    }
  });

  it('covers every header that routes, with SignedHeaders', async () => {
    const signing = signingOf('SignedHeaders', [keyOf(STANDARD)]);
    await deliver(signing);
    const [request] = arrived;
    if (request === undefined) throw new Error('nothing arrived');
    const forged = (headers: Record<string, string | undefined>) =>
      verify(signing, { ...request, headers: { ...request.headers, ...headers } });
    expect(await forged({})).toMatchObject({ ok: true });
    for (const name of ['ce-id', 'ce-source', 'ce-type', 'ce-subject', 'ce-instanceid', 'ce-region'])
      expect([name, await forged({ [name]: 'x' })]).toEqual([name, { ok: false, cause: 'no key matched' }]);
    expect(await forged({ 'content-type': 'application/cloudevents+json' })).toMatchObject({ ok: false });
    expect(await forged({ 'webhook-id': 'another' })).toMatchObject({ ok: false });
    expect(await forged({ 'x-request-id': 'added-by-a-proxy' })).toMatchObject({ ok: true });
  });
});

describe('what cannot be signed', () => {
  it('waits where no key is in force, and sends nothing', async () => {
    const outcome = await deliver(signingOf('GitHub', [keyOf('k', { notAfter: NOW })]));
    expect(outcome).toMatchObject({
      state: 'waiting',
      attempt: { error: expect.stringContaining('spec.target.sink.sign has no key that is in force') },
    });
    expect(arrived).toEqual([]);
  });

  it('is a dead letter where its content lacks what is signed', async () => {
    const hmac = { header: 'X-S', signedContent: '{header:X-Missing}.{body}' };
    expect(await deliver(signingOf('HMAC', [keyOf('k')], hmac))).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining('spec.target.sink.sign: header X-Missing is signed by this scheme'),
    });
    expect(arrived).toEqual([]);
  });
});
