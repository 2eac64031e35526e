import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HmacRecipe, KeyMaterial, Signing } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import type { OutgoingMessage } from './scheme.ts';
import { compileVerifier } from './schemes.ts';
import { compileSigner } from './sign.ts';
import { keyOf, requestOf } from './testing.ts';

const NOW = 1_614_265_330_000;

function signed(signing: Signing, message: Partial<OutgoingMessage> = {}) {
  const compiled = compileSigner(signing);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  const whole = {
    id: 'id-1',
    timestamp: NOW,
    body: Buffer.from('{}'),
    url: 'http://a/e/s',
    ...message,
  };
  const headers = compiled.value.sign(whole);
  if (headers === undefined) throw new Error('no key is in force');
  return headers;
}

function verifierOf(signing: Signing) {
  const compiled = compileVerifier(endpointEntry({ ...signing, publicUrl: 'http://a' }));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  return compiled.value;
}

describe('signing', () => {
  it('makes the published vectors', () => {
    expect(
      signed(
        { scheme: 'StandardWebhooks', keys: [keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')] },
        { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: Buffer.from('{"test": 2432232314}') },
      ),
    ).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    expect(
      signed(
        { scheme: 'Stripe', keys: [keyOf('whsec_test_secret')] },
        { body: Buffer.from('{"id":"evt_test"}') },
      ),
    ).toEqual({
      'Stripe-Signature': 't=1614265330,v1=00cd8805b6dfb4317048892c492f8ff769e2075ec20013c6ed546e639a4e20ba',
    });
    expect(
      signed(
        { scheme: 'GitHub', keys: [keyOf("It's a Secret to Everybody")] },
        { body: Buffer.from('Hello, World!') },
      ),
    ).toEqual({
      'X-Hub-Signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    });
    for (const key of ['s3cr3t', 's3cr3t\n'])
      expect(signed({ scheme: 'Emporix', keys: [keyOf(key)] })).toEqual({
        'x-emporix-hmac': 'YIsMQG892hlwLXGgSEg7jDMSgxBtgKII489D295QUoY=',
      });
  });

  it('carries one signature per key in force where the header can, else that of the first', async () => {
    const keys: KeyMaterial[] = [
      keyOf('ended', { name: 'ended', notAfter: NOW }),
      keyOf('one', { name: 'one' }),
      keyOf('two', { name: 'two' }),
    ];
    const many = { scheme: 'Stripe', keys };
    expect(signed(many)['Stripe-Signature']).toMatch(/^t=1614265330,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
    for (const name of ['one', 'two']) {
      const only = { scheme: 'Stripe', keys: [keyOf(name, { name })] };
      expect(await verifierOf(only).verify(requestOf(signed(many), '{}'), NOW)).toEqual({
        ok: true,
        key: name,
      });
    }
    expect(signed({ scheme: 'GitHub', keys })).toEqual(signed({ scheme: 'GitHub', keys: [keyOf('one')] }));
  });

  it('says what it lacks', () => {
    expect(() => signed({ scheme: 'GitHub', keys: [keyOf('k', { notAfter: NOW })] })).toThrow(
      'no key is in force',
    );
    const hmac: HmacRecipe = { header: 'X-S', signedContent: '{header:X-Event}{body}' };
    expect(() => signed({ scheme: 'HMAC', hmac, keys: [keyOf('k')] })).toThrow('header X-Event is signed');
    expect(compileSigner({ scheme: 'HMAC', keys: [keyOf('k')] })).toMatchObject({
      ok: false,
      findings: [{ field: 'spec.hmac' }],
    });
    expect(compileSigner({ scheme: 'Stripe', keys: [keyOf('')] })).toMatchObject({
      ok: false,
      findings: [{ field: 'spec.secrets[0]' }],
    });
  });
});

const recipes: fc.Arbitrary<HmacRecipe> = fc
  .record({
    algorithm: fc.constantFrom('SHA1', 'SHA256', 'SHA512'),
    encoding: fc.constantFrom('Hex', 'Base64', 'Base64URL'),
    prefix: fc.constantFrom('', 'sha256=', 'v0='),
    listed: fc.boolean(),
    fields: fc.boolean(),
    unit: fc.constantFrom('Seconds', 'Milliseconds', 'RFC3339'),
    signedContent: fc.constantFrom(
      '{timestamp}.{id}.{body}',
      'v0:{timestamp}:{body}:{id}',
      '{body}{header:X-Topic}|{url}{timestamp}{id}',
    ),
  } as const)
  .map(({ listed, fields, unit, ...rest }) => ({
    ...rest,
    header: 'X-Signature',
    timestamp: { header: 'X-Timestamp', unit },
    id: { header: 'X-Id' },
    ...(listed ? { separator: ' ' } : {}),
    ...(fields ? { fields: { timestamp: 't', signature: 's', id: 'i' }, separator: ';' } : {}),
  }));

const plain = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.:/'), minLength: 1, maxLength: 20 });

function flip(buffer: Buffer, at: number): Buffer {
  const bit = at % (buffer.length * 8);
  const flipped = Buffer.from(buffer);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

describe('what is signed', () => {
  it('verifies, and with any bit flipped does not', () => {
    // A key of nothing but line ends is empty.
    const secret = fc
      .uint8Array({ minLength: 1, maxLength: 140 })
      .filter((bytes) => bytes.some((byte) => byte !== 10 && byte !== 13));
    const secrets = fc.array(secret, { minLength: 1, maxLength: 3 });
    const messages = fc.record({
      id: plain,
      topic: plain,
      path: plain,
      body: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(recipes, secrets, messages, fc.nat(), (hmac, keyBytes, { id, topic, path, body }, at) => {
        const keys = keyBytes.map((secret, i) => ({
          name: `k${i}`,
          secret: Buffer.from(secret).toString('base64'),
        }));
        const bytes = Buffer.from(body);
        const url = `/e/${path}`;
        const message = { id, body: bytes, url: `http://a${url}`, headers: { 'x-topic': topic } };
        const all: Record<string, string> = signed({ scheme: 'HMAC', hmac, keys }, message);
        const verifier = verifierOf({ scheme: 'HMAC', hmac, keys: keys.slice(0, 1) });
        const takes = (headers: Record<string, string>, sent: Buffer) =>
          verifier.verify(requestOf({ 'X-Topic': topic, ...headers }, sent, url), NOW);
        expect(takes(all, bytes)).toEqual({ ok: true, key: 'k0' });
        if (bytes.length > 0) expect(takes(all, flip(bytes, at))).toMatchObject({ ok: false });

        const one: Record<string, string> = signed({ scheme: 'HMAC', hmac, keys: keys.slice(0, 1) }, message);
        if (hmac.signedContent?.includes('X-Topic')) one['X-Topic'] = topic;
        for (const [name, value] of Object.entries(one)) {
          const changed = flip(Buffer.from(value), at).toString('latin1');
          // Hexadecimal may be in any case: that is the same signature, not another.
          const same =
            name === 'X-Signature' &&
            hmac.encoding === 'Hex' &&
            changed.toLowerCase() === value.toLowerCase();
          if (!same)
            expect([name, changed, takes({ ...one, [name]: changed }, bytes)]).toEqual([
              name,
              changed,
              { ok: false, cause: expect.any(String) as string },
            ]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
