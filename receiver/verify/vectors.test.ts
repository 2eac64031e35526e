import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EndpointEntry } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import { compileVerifier } from './schemes.ts';
import { keyOf, requestOf } from './testing.ts';
import type { SignedRequest } from './verifier.ts';

/*
 * Each scheme by what its provider publishes, or by an independent computation of what the provider describes.
 */

async function verdict(entry: Partial<EndpointEntry>, request: SignedRequest, seconds = 0) {
  const compiled = compileVerifier(endpointEntry(entry));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  return await compiled.value.verify(request, seconds * 1000);
}

const OK = { ok: true, key: 'current' };
const REFUSED = { ok: false };

function hmac(algorithm: string, key: string | Buffer, content: string, encoding: 'hex' | 'base64' = 'hex') {
  return createHmac(algorithm, key).update(content).digest(encoding);
}

describe('RFC 4231', () => {
  it('case 2 holds', async () => {
    const entry = { scheme: 'HMAC', hmac: { header: 'X-S' }, keys: [keyOf('Jefe')] };
    const signature = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    expect(await verdict(entry, requestOf({ 'X-S': signature }, 'what do ya want for nothing?'))).toEqual(OK);
  });
});

describe('Slack', () => {
  const entry = { scheme: 'Slack', keys: [keyOf('8f742231b10e8888abcd99yyyzzz85a5')] };
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const headers = {
    'X-Slack-Signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    'X-Slack-Request-Timestamp': '1531420618',
  };

  it('takes the published vector, and no other body or time', async () => {
    expect(await verdict(entry, requestOf(headers, body), 1_531_420_618)).toEqual(OK);
    expect(await verdict(entry, requestOf(headers, `${body}x`), 1_531_420_618)).toMatchObject(REFUSED);
    expect(await verdict(entry, requestOf(headers, body), 1_531_420_919)).toMatchObject(REFUSED);
    const later = { ...headers, 'X-Slack-Request-Timestamp': '1531420619' };
    expect(await verdict(entry, requestOf(later, body), 1_531_420_618)).toMatchObject(REFUSED);
  });
});

describe('Shopify', () => {
  it('is Base64 over the body', async () => {
    const entry = { scheme: 'Shopify', keys: [keyOf('shpss_secret')] };
    const signature = hmac('sha256', 'shpss_secret', '{"id":1}', 'base64');
    expect(await verdict(entry, requestOf({ 'X-Shopify-Hmac-Sha256': signature }, '{"id":1}'))).toEqual(OK);
    expect(await verdict(entry, requestOf({ 'X-Shopify-Hmac-Sha256': signature }, '{"id":2}'))).toMatchObject(
      REFUSED,
    );
  });
});

describe('Twilio', () => {
  const url = '/myapp.php?foo=1&bar=2';
  const entry = { scheme: 'Twilio', keys: [keyOf('12345')], publicUrl: 'https://mycompany.com' };
  const form =
    'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212';
  const headers = {
    'X-Twilio-Signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
    'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
  };

  it('takes the published vector by the address that Twilio called', async () => {
    expect(await verdict(entry, requestOf(headers, form, url))).toEqual(OK);
    const reordered = form.split('&').toReversed().join('&');
    expect(await verdict(entry, requestOf(headers, reordered, url))).toEqual(OK);
    expect(await verdict(entry, requestOf(headers, form.replace('1234&', '1235&'), url))).toMatchObject(
      REFUSED,
    );
    expect(await verdict(entry, requestOf(headers, `${form}&More=1`, url))).toMatchObject(REFUSED);
    expect(await verdict(entry, requestOf(headers, form, '/myapp.php?foo=1&bar=3'))).toMatchObject(REFUSED);
    const elsewhere = { ...entry, publicUrl: 'https://mycompany.example' };
    expect(await verdict(elsewhere, requestOf(headers, form, url))).toMatchObject(REFUSED);
  });

  it('refuses a form of more fields than are sorted, whatever its signature', async () => {
    const named = Array.from({ length: 1000 }, (_, i) => `f${i}`).sort();
    const signed = (fields: readonly string[]) => ({
      ...headers,
      'X-Twilio-Signature': hmac('sha1', '12345', `https://mycompany.com${url}${fields.join('')}`, 'base64'),
    });
    expect(await verdict(entry, requestOf(signed(named), named.join('&'), url))).toEqual(OK);
    const more = [...named, 'g'];
    expect(await verdict(entry, requestOf(signed(more), more.join('&'), url))).toEqual({
      ok: false,
      cause: 'the body is a form of more than 1000 fields',
    });
  });

  it('needs to know that address', () => {
    expect(compileVerifier(endpointEntry({ scheme: 'Twilio', keys: [keyOf('1')] }))).toMatchObject({
      ok: false,
      findings: [{ message: expect.stringContaining('spec.publicUrl') }],
    });
  });

  it('takes a JSON body by its hash in the address, and no other body', async () => {
    const body = '{"property": "value", "boolean": true}';
    const named = `/myapp.php?bodySHA256=${createHash('sha256').update(body).digest('hex')}&foo=1`;
    const json = {
      'Content-Type': 'application/json',
      'X-Twilio-Signature': hmac('sha1', '12345', `https://mycompany.com${named}`, 'base64'),
    };
    expect(await verdict(entry, requestOf(json, body, named))).toEqual(OK);
    expect(await verdict(entry, requestOf(json, `${body} `, named))).toMatchObject(REFUSED);
    const unnamed = {
      ...json,
      'X-Twilio-Signature': hmac('sha1', '12345', `https://mycompany.com${url}`, 'base64'),
    };
    expect(await verdict(entry, requestOf(unnamed, body, url))).toMatchObject(REFUSED);
    // The body of a form is signed itself: it cannot be passed off as one that is not.
    expect(
      await verdict(entry, requestOf({ ...headers, 'Content-Type': 'text/plain' }, form, url)),
    ).toMatchObject(REFUSED);
  });
});

describe('OJS', () => {
  const entry = { scheme: 'OJS', keys: [keyOf('ojs-key')] };
  const signature = hmac('sha256', 'ojs-key', '1700000000.{}');

  it('takes one signature of a comma list', async () => {
    for (const value of [`sha256=${signature}`, `sha256=${'0'.repeat(64)}, sha256=${signature}`]) {
      const request = requestOf({ 'X-OJS-Signature': value, 'X-OJS-Timestamp': '1700000000' }, '{}');
      expect(await verdict(entry, request, 1_700_000_300)).toEqual(OK);
      expect(await verdict(entry, request, 1_700_000_301)).toMatchObject(REFUSED);
      expect(await verdict(entry, request, 1_699_999_699)).toMatchObject(REFUSED);
    }
  });
});

describe('Convoy', () => {
  const entry = { scheme: 'Convoy', keys: [keyOf('convoy-webhook-secret')] };
  const body = '{"event":"charge.success","amount":1000,"currency":"NGN"}';
  const simple = 'JERJt/SMvCcJBgydzcKzqkenj1QEMFeQFcV5+xLe+7Q=';
  const advanced = '77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c55c';
  const of = (value: string, seconds = 1_700_000_000) =>
    verdict(entry, requestOf({ 'X-Convoy-Signature': value }, body), seconds);

  it.each([
    ['simple', simple],
    ['simple in hex', Buffer.from(simple, 'base64').toString('hex')],
    ['advanced', `t=1700000000,v1=${advanced}`],
    ['advanced in Base64', `t=1700000000,v1=${Buffer.from(advanced, 'hex').toString('base64')}`],
    ['advanced during a rotation', `t=1700000000,v1=${'0'.repeat(64)},v1=${advanced}`],
  ])('takes the published vector: %s', async (_, value) => {
    expect(await of(value)).toEqual(OK);
  });

  it('takes neither kind for the other, nor an old one', async () => {
    expect(await of(advanced)).toMatchObject(REFUSED);
    expect(await of(`t=1700000000,v1=${simple}`)).toMatchObject(REFUSED);
    expect(await of(`t=1700000000,v1=${advanced}`, 1_700_000_301)).toMatchObject(REFUSED);
  });

  it('takes no advanced signature for a plain one over the timestamp and the body', async () => {
    for (const value of [advanced, Buffer.from(advanced, 'hex').toString('base64')]) {
      const request = requestOf({ 'X-Convoy-Signature': value }, `1700000000,${body}`);
      for (const seconds of [1_700_000_000, 1_700_086_400])
        expect(await verdict(entry, request, seconds)).toEqual({
          ok: false,
          cause: 'the body begins with a timestamp and a comma, as what an advanced signature is made over',
        });
    }
  });
});

describe('EmporixCommerce', () => {
  const entry = { scheme: 'EmporixCommerce', keys: [keyOf('password123')] };
  const signature = hmac('sha256', 'password123', '{"a":[{"x":1,"y":2}],"b":{"c":1,"d":"é"}}', 'base64');
  const of = (body: string) => verdict(entry, requestOf({ 'emporix-event-signature': signature }, body));

  it('signs the sorted members, whatever their order and spacing', async () => {
    expect(await of('{"b": {"d": "é", "c": 1}, "a": [{"y": 2, "x": 1.0}]}')).toEqual(OK);
    expect(await of('{"b":{"d":"\\u00e9","c":1},"a":[{"y":2,"x":1}]}')).toEqual(OK);
  });

  it('refuses other content, and what means different things to different readers', async () => {
    expect(await of('{"b":{"d":"é","c":2},"a":[{"y":2,"x":1}]}')).toMatchObject(REFUSED);
    expect(await of('{"b":{"d":"é","c":9,"c":1},"a":[{"y":2,"x":1}]}')).toMatchObject(REFUSED);
    expect(await of('no JSON')).toMatchObject(REFUSED);
    expect(await of('['.repeat(100_000))).toMatchObject(REFUSED);
    expect(await of('['.repeat(1000) + ']'.repeat(1000))).toMatchObject(REFUSED);
  });
});

describe('GitLab', () => {
  const token = { scheme: 'GitLab', keys: [keyOf('gl-token\n')] };

  it('shows the token as it is', async () => {
    expect(await verdict(token, requestOf({ 'X-Gitlab-Token': 'gl-token' }, '{}'))).toEqual(OK);
    expect(await verdict(token, requestOf({ 'X-Gitlab-Token': 'gl-toke' }, '{}'))).toMatchObject(REFUSED);
    expect(await verdict(token, requestOf({}, '{}'))).toMatchObject(REFUSED);
  });

  it('signs by Standard Webhooks where its key is a signing token, which is never shown', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const both = { scheme: 'GitLab', keys: [keyOf(secret), keyOf('old', { name: 'old' })] };
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    expect(await verdict(both, requestOf(headers, '{"test": 2432232314}'), 1_614_265_330)).toEqual({
      ...OK,
      family: 'webhook',
    });
    expect(await verdict(both, requestOf({ 'X-Gitlab-Token': secret }, '{}'))).toMatchObject(REFUSED);
    expect(await verdict(both, requestOf({ 'X-Gitlab-Token': 'old' }, '{}'))).toEqual({
      ok: true,
      key: 'old',
    });
  });
});

describe('StandardWebhooks with ed25519', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = (key: { export(options: { format: 'jwk' }): { x?: string; d?: string } }, part: 'x' | 'd') =>
    Buffer.from(key.export({ format: 'jwk' })[part] ?? '', 'base64url');
  const publicText = `whpk_${raw(publicKey, 'x').toString('base64')}`;
  const seed = raw(privateKey, 'd');

  it('tells a key of ed25519 by its prefix and its length', () => {
    const rfc = `whpk_${Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64')}`;
    expect(compileVerifier(endpointEntry({ scheme: 'StandardWebhooks', keys: [keyOf(rfc)] })).ok).toBe(true);
    const short = { scheme: 'StandardWebhooks', keys: [keyOf('whpk_AAAA')] };
    expect(compileVerifier(endpointEntry(short))).toMatchObject({
      ok: false,
      findings: [{ field: 'spec.secrets[0]', message: expect.stringContaining('no ed25519 key') }],
    });
  });

  it.each(['webhook', 'svix'])(
    'takes a v1a signature under %s- headers, beside symmetric keys',
    async (family) => {
      const { sign } = await import('node:crypto');
      const content = Buffer.from('msg_1.1700000000.{}');
      const signature = sign(null, content, privateKey).toString('base64');
      const headers = {
        [`${family}-id`]: 'msg_1',
        [`${family}-timestamp`]: '1700000000',
        [`${family}-signature`]: `v1,${'A'.repeat(43)}= v1a,${signature}`,
      };
      const symmetric = keyOf('c2VjcmV0', { name: 'symmetric' });
      for (const text of [
        publicText,
        `whsk_${seed.toString('base64')}`,
        `whsk_${Buffer.concat([seed, raw(publicKey, 'x')]).toString('base64')}`,
      ]) {
        const entry = { scheme: 'StandardWebhooks', keys: [symmetric, keyOf(text)] };
        expect(await verdict(entry, requestOf(headers, '{}'), 1_700_000_000)).toEqual({ ...OK, family });
        expect(await verdict(entry, requestOf(headers, '{ }'), 1_700_000_000)).toMatchObject(REFUSED);
        expect(await verdict(entry, requestOf(headers, '{}'), 1_700_000_301)).toMatchObject(REFUSED);
        const ended = { ...entry, keys: [symmetric, keyOf(text, { notAfter: 1_700_000_000_000 })] };
        expect(await verdict(ended, requestOf(headers, '{}'), 1_700_000_000)).toMatchObject(REFUSED);
        const alone = { ...entry, keys: [keyOf(text, { notAfter: 1_700_000_000_000 })] };
        expect(await verdict(alone, requestOf(headers, '{}'), 1_700_000_000)).toEqual({
          ok: false,
          cause: 'key "current" matched, past its notAfter',
        });
      }
    },
  );
});

describe('Basic', () => {
  const entry = {
    scheme: 'Basic',
    keys: [keyOf('Aladdin:open sesame'), keyOf('user:pass:word', { name: 'colons' })],
  };
  const of = (value: string) => verdict(entry, requestOf({ Authorization: value }, '{}'));

  it('takes the vector of RFC 7617, and a password with colons', async () => {
    expect(await of('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual(OK);
    expect(await of('basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual(OK);
    expect(await of(`Basic ${Buffer.from('user:pass:word').toString('base64')}`)).toEqual({
      ok: true,
      key: 'colons',
    });
    for (const pair of ['user:pass', 'user:', ':', 'Aladdin', ''])
      expect(await of(`Basic ${Buffer.from(pair).toString('base64')}`)).toMatchObject(REFUSED);
    expect(await of('Basic ***')).toMatchObject(REFUSED);
  });

  it('needs a key that is a pair', () => {
    expect(compileVerifier(endpointEntry({ scheme: 'Basic', keys: [keyOf('word')] }))).toMatchObject({
      ok: false,
      findings: [{ field: 'spec.secrets[0]', message: expect.stringContaining('user:password') }],
    });
  });
});

describe('Bearer', () => {
  const entry = {
    scheme: 'Bearer',
    keys: [keyOf('t0ken+/='), keyOf('ended', { name: 'ended', notAfter: 5000 })],
  };

  it('takes the header, in any case, and the query parameter', async () => {
    expect(await verdict(entry, requestOf({ Authorization: 'Bearer t0ken+/=' }))).toEqual(OK);
    expect(await verdict(entry, requestOf({ Authorization: 'bearer  t0ken+/=' }))).toEqual(OK);
    expect(await verdict(entry, requestOf({}, '', '/e/s?a=b&access_token=t0ken%2B%2F%3D'))).toEqual(OK);
    expect(await verdict(entry, requestOf({}, '', '/e/s?access_token='))).toMatchObject(REFUSED);
    expect(await verdict(entry, requestOf({ Authorization: 'Bearer t0ken' }))).toMatchObject(REFUSED);
    // Where both are there the header counts.
    const both = requestOf({ Authorization: 'Bearer x' }, '', '/e/s?access_token=t0ken%2B%2F%3D');
    expect(await verdict(entry, both)).toMatchObject(REFUSED);
  });

  it('takes a key until its end', async () => {
    const request = requestOf({ Authorization: 'Bearer ended' });
    expect(await verdict(entry, request, 4.999)).toEqual({ ok: true, key: 'ended' });
    expect(await verdict(entry, request, 5)).toEqual({
      ok: false,
      cause: 'key "ended" matched, past its notAfter',
    });
  });
});
