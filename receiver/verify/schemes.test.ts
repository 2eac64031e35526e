import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EndpointEntry } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import { compileVerifier } from './schemes.ts';
import { keyOf, requestOf } from './testing.ts';
import type { SignedRequest } from './verifier.ts';

async function verdict(entry: Partial<EndpointEntry>, request: SignedRequest, now = 0) {
  const compiled = compileVerifier(endpointEntry(entry));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  return await compiled.value.verify(request, now);
}

const OK = { ok: true, key: 'current' };

describe('Emporix', () => {
  it.each([
    ['', 'PIHMlJbhwlJQ9sy4X2l8G7Yj40gNZTitjLamZIFCd30='],
    ['{}', 'YIsMQG892hlwLXGgSEg7jDMSgxBtgKII489D295QUoY='],
    ['{"orderId":"EON1075"}', 'BjOBT4Dfq7ackaCWg7hqgPi19zNJk/pb2ME9tSvvXig='],
    ['{"name":"Zoë"}', 'xTQnPGKxxlAfccfxEvt9Ll0A2mYRpkHbbk2XFO/boLQ='],
  ])('takes the published vector of %s', async (body, signature) => {
    const entry = { scheme: 'Emporix', keys: [keyOf('s3cr3t')] };
    expect(await verdict(entry, requestOf({ 'x-emporix-hmac': signature }, body))).toEqual(OK);
    expect(await verdict(entry, requestOf({ 'x-emporix-hmac': signature }, `${body} `))).toMatchObject({
      ok: false,
    });
  });
});

describe('GitHub', () => {
  const entry = { scheme: 'GitHub', keys: [keyOf("It's a Secret to Everybody")] };
  const of = (headers: Record<string, string>, body = 'Hello, World!') =>
    verdict(entry, requestOf(headers, body));
  const signature = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

  it('takes the published vector', async () => {
    const request = requestOf({ 'X-Hub-Signature-256': `sha256=${signature}` }, 'Hello, World!');
    expect(await verdict(entry, request)).toEqual(OK);
  });

  it('refuses the SHA-1 header, the signature without its prefix and another body', async () => {
    expect(await of({ 'X-Hub-Signature': `sha1=${signature}` })).toEqual({
      ok: false,
      cause: 'header X-Hub-Signature-256 is missing',
    });
    expect(await of({ 'X-Hub-Signature-256': signature })).toMatchObject({ ok: false });
    expect(await of({ 'X-Hub-Signature-256': `sha256=${signature}` }, 'Hello, World?')).toEqual({
      ok: false,
      cause: 'no key matched',
    });
  });
});

describe('Stripe', () => {
  const entry = { scheme: 'Stripe', keys: [keyOf('whsec_test_secret')] };
  const v1 = '00cd8805b6dfb4317048892c492f8ff769e2075ec20013c6ed546e639a4e20ba';
  const of = (header: string, seconds = 1_614_265_330) =>
    verdict(entry, requestOf({ 'Stripe-Signature': header }, '{"id":"evt_test"}'), seconds * 1000);

  it('takes the vector, also beside others', async () => {
    expect(await of(`t=1614265330,v1=${v1}`)).toEqual(OK);
    expect(await of(`t=1614265330,v1=${'0'.repeat(64)},v1=${v1},v0=${v1}`)).toEqual(OK);
  });

  it('never takes v0, and no timestamp past 300 s', async () => {
    expect(await of(`t=1614265330,v0=${v1}`)).toEqual({
      ok: false,
      cause: 'header Stripe-Signature has no field "v1"',
    });
    expect(await of(`t=1614265330,v1=${v1}`, 1_614_265_630)).toEqual(OK);
    expect(await of(`t=1614265330,v1=${v1}`, 1_614_265_631)).toEqual({
      ok: false,
      cause: 'timestamp is 301 s old, tolerance 300 s',
    });
  });
});

function standardHeaders(family: string, signature: string): Record<string, string> {
  return {
    [`${family}-id`]: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    [`${family}-timestamp`]: '1614265330',
    [`${family}-signature`]: signature,
  };
}

describe('StandardWebhooks', () => {
  const entry = { scheme: 'StandardWebhooks', keys: [keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')] };
  const body = '{"test": 2432232314}';
  const v1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const of = (sent: Record<string, string>) => verdict(entry, requestOf(sent, body), 1_614_265_330_000);

  it.each(['webhook', 'svix'])('takes the published vector under %s- headers', async (family) => {
    expect(await of(standardHeaders(family, v1))).toEqual({ ...OK, family });
    expect(await of(standardHeaders(family, `v1,AAAA v1a,${v1.slice(3)} ${v1}`))).toEqual({ ...OK, family });
  });

  it('takes the key without its prefix too', async () => {
    const bare = { ...entry, keys: [keyOf('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')] };
    expect(await verdict(bare, requestOf(standardHeaders('webhook', v1), body), 1_614_265_330_000)).toEqual({
      ...OK,
      family: 'webhook',
    });
  });

  it('says what is wrong with the headers that came', async () => {
    expect(await of({})).toEqual({ ok: false, cause: 'header webhook-signature is missing' });
    expect(await of({ 'svix-signature': v1 })).toEqual({
      ok: false,
      cause: 'header svix-timestamp is missing',
    });
    expect(await of({ ...standardHeaders('webhook', v1), 'webhook-id': 'msg_other' })).toEqual({
      ok: false,
      cause: 'no key matched',
    });
  });

  it('tells the family that verified, whatever the other says', async () => {
    const svix = standardHeaders('svix', v1);
    expect(await of({ ...svix, 'webhook-id': 'msg_other' })).toEqual({ ...OK, family: 'svix' });
    const forged = { ...standardHeaders('webhook', v1), 'webhook-id': 'msg_other' };
    expect(await of({ ...svix, ...forged })).toEqual({ ...OK, family: 'svix' });
    expect(await of({ ...svix, ...standardHeaders('webhook', v1) })).toEqual({ ...OK, family: 'webhook' });
  });

  it('refuses headers of two families mixed', async () => {
    const mixed = { ...standardHeaders('webhook', v1), ...standardHeaders('svix', v1) };
    delete mixed['webhook-timestamp'];
    mixed['svix-id'] = 'msg_other';
    expect(await of(mixed)).toMatchObject({ ok: false });
  });
});

describe('HMAC', () => {
  it("takes the endpoint's own recipe", async () => {
    const key = Buffer.from('secret-bytes');
    const content = '1700000000.order.created.{"a":1}';
    const signature = createHmac('sha256', key).update(content).digest('hex');
    const entry: Partial<EndpointEntry> = {
      scheme: 'HMAC',
      keys: [keyOf('c2VjcmV0LWJ5dGVz')],
      hmac: {
        header: 'X-Partner-Signature',
        fields: { timestamp: 't', signature: 'v1' },
        keyEncoding: 'Base64',
        signedContent: '{timestamp}.{header:X-Partner-Event}.{body}',
        toleranceMs: 300_000,
      },
    };
    const headers = {
      'X-Partner-Signature': `t=1700000000,v1=${signature}`,
      'X-Partner-Event': 'order.created',
    };
    expect(await verdict(entry, requestOf(headers, '{"a":1}'), 1_700_000_000_000)).toEqual(OK);
    const forged = { ...headers, 'X-Partner-Event': 'order.deleted' };
    expect(await verdict(entry, requestOf(forged, '{"a":1}'), 1_700_000_000_000)).toMatchObject({
      ok: false,
    });
  });

  it('without a recipe is a finding', () => {
    expect(compileVerifier(endpointEntry({ scheme: 'HMAC' }))).toEqual({
      ok: false,
      findings: [
        { field: 'spec.hmac', message: expect.stringContaining('scheme HMAC needs the recipe') as string },
      ],
    });
  });
});

describe('a scheme that is not there', () => {
  it('is a finding that names those that are', () => {
    const compiled = compileVerifier(endpointEntry({ scheme: 'Morse' }), 'spec');
    expect(compiled).toMatchObject({ ok: false, findings: [{ field: 'spec.scheme' }] });
    expect(compiled.ok ? '' : compiled.findings[0]?.message).toMatch(
      /^"Morse" is not supported; use one of Emporix, EmporixCommerce, GitHub/,
    );
  });

  it('tells findings of alternatives once', () => {
    const entry = endpointEntry({ scheme: 'StandardWebhooks', keys: [keyOf('whsec_!')] });
    expect(compileVerifier(entry)).toMatchObject({ ok: false, findings: [{ field: 'spec.secrets[0]' }] });
    const compiled = compileVerifier(entry);
    expect(compiled.ok ? 0 : compiled.findings.length).toBe(1);
  });
});
