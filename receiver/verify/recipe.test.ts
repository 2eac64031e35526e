import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HmacRecipe, KeyMaterial } from '../routing/table.ts';
import { compileRecipe } from './recipe.ts';
import { keyOf, requestOf } from './testing.ts';

const NOW = 1_700_000_000_000;

function verifier(recipe: HmacRecipe, keys: readonly KeyMaterial[] = [keyOf('key')], publicUrl?: string) {
  const compiled = compileRecipe(recipe, keys, 'spec', publicUrl);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  return compiled.value;
}

function findings(recipe: HmacRecipe, keys: readonly KeyMaterial[] = [keyOf('key')], publicUrl?: string) {
  const compiled = compileRecipe(recipe, keys, 'spec', publicUrl);
  return compiled.ok ? [] : compiled.findings;
}

function mac(content: string | Buffer, key: string | Buffer = 'key', algorithm = 'sha256') {
  return createHmac(algorithm, key).update(content).digest();
}

describe('a recipe', () => {
  it('takes RFC 4231 test case 2', () => {
    const headers = { 'X-S': '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' };
    const verdict = verifier({ header: 'X-S' }, [keyOf('Jefe')]).verify(
      requestOf(headers, 'what do ya want for nothing?'),
      NOW,
    );
    expect(verdict).toEqual({ ok: true, key: 'current' });
  });

  it.each(['SHA1', 'SHA256', 'SHA512'] as const)(
    'takes %s with short, block-long and longer keys',
    (algorithm) => {
      for (const length of [1, 20, 63, 64, 65, 127, 128, 129, 300]) {
        const key = 'k'.repeat(length);
        const headers = { 'x-s': mac('body', key, algorithm.toLowerCase()).toString('hex') };
        expect(
          verifier({ header: 'X-S', algorithm }, [keyOf(key)]).verify(requestOf(headers, 'body'), NOW).ok,
        ).toBe(true);
      }
    },
  );

  it('takes bodies on both sides of the size where hashing changes', () => {
    const once = verifier({
      header: 'X-S',
      timestamp: { header: 'X-T' },
      signedContent: 'a{timestamp}.{body}.z',
    });
    for (const size of [0, 1, 4000, 4016, 4017, 4018, 4019, 4020, 4032, 4096, 100_000]) {
      const body = Buffer.alloc(size, 7);
      const content = Buffer.concat([Buffer.from('a1700000000.'), body, Buffer.from('.z')]);
      const headers = { 'x-t': '1700000000', 'x-s': mac(content).toString('hex') };
      expect([size, once.verify(requestOf(headers, body), NOW).ok]).toEqual([size, true]);
      expect(once.verify(requestOf(headers, Buffer.concat([body, Buffer.from('x')])), NOW).ok).toBe(false);
    }
  });

  it('takes hex in any case, padded and unpadded Base64 and Base64URL, and no other text of the same bytes', () => {
    const digest = mac('body');
    const base64 = digest.toString('base64');
    const cases: [HmacRecipe['encoding'], string, boolean][] = [
      ['Hex', digest.toString('hex'), true],
      ['Hex', digest.toString('hex').toUpperCase(), true],
      ['Hex', `${digest.toString('hex')}00`, false],
      ['Hex', digest.toString('hex').slice(2), false],
      ['Hex', base64, false],
      ['Base64', base64, true],
      ['Base64', base64.replace('=', ''), true],
      ['Base64', base64.toLowerCase(), false],
      ['Base64', digest.toString('base64url'), digest.toString('base64url') === base64.replace('=', '')],
      ['Base64', `${base64.slice(0, 42)}${String.fromCharCode(base64.charCodeAt(42) + 1)}=`, false],
      ['Base64', `${base64}=`, false],
      ['Base64', ` ${base64}`, false],
      ['Base64URL', digest.toString('base64url'), true],
      ['Base64URL', `${digest.toString('base64url')}=`, true],
    ];
    for (const [encoding, text, ok] of cases) {
      const verdict = verifier({ header: 'X-S', encoding: encoding ?? 'Hex' }).verify(
        requestOf({ 'x-s': text }, 'body'),
        NOW,
      );
      expect([encoding, text, verdict.ok]).toEqual([encoding, text, ok]);
    }
  });

  it('decodes keys as told, after cutting the prefix', () => {
    const bytes = Buffer.from([0, 1, 250, 255, 13]);
    const headers = { 'x-s': mac('body', bytes).toString('hex') };
    const of = (keyEncoding: 'Base64' | 'Hex', text: string) =>
      verifier({ header: 'X-S', keyEncoding, keyPrefix: 'whsec_' }, [keyOf(text)]).verify(
        requestOf(headers, 'body'),
        NOW,
      );
    expect(of('Base64', `whsec_${bytes.toString('base64')}`).ok).toBe(true);
    expect(of('Base64', `${bytes.toString('base64')}\n`).ok).toBe(true);
    expect(bytes.toString('base64')).toMatch(/[+/]/);
    expect(of('Base64', `whsec_${bytes.toString('base64url')}`).ok).toBe(true);
    expect(of('Hex', bytes.toString('hex').toUpperCase()).ok).toBe(true);
  });

  it('uses keys that are no text byte for byte', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0, 0x80]);
    const key = { name: 'raw', secret: bytes.toString('base64') };
    const headers = { 'x-s': mac('body', bytes).toString('hex') };
    expect(verifier({ header: 'X-S' }, [key]).verify(requestOf(headers, 'body'), NOW)).toEqual({
      ok: true,
      key: 'raw',
    });
  });

  it('reads fields, in any order, with several signatures, and passes over unknown ones', () => {
    const recipe: HmacRecipe = {
      header: 'X-S',
      fields: { timestamp: 't', signature: 'v1' },
      signedContent: '{timestamp}.{header:X-Event}.{body}',
    };
    const right = mac('1700000000.paid.body').toString('hex');
    const wrong = mac('other').toString('hex');
    const of = (value: string) =>
      verifier(recipe).verify(requestOf({ 'x-s': value, 'x-event': 'paid' }, 'body'), NOW);
    expect(of(`t=1700000000,v1=${right}`).ok).toBe(true);
    expect(of(`v0=${wrong}, v1=${wrong} , v1=${right}, t=1700000000`).ok).toBe(true);
    expect(of(`t=1700000000,v0=${right}`)).toEqual({ ok: false, cause: 'header X-S has no field "v1"' });
    expect(of(`v1=${right}`)).toEqual({ ok: false, cause: 'field "t" of header X-S is missing' });
    expect(of(`t=1700000000,v1=${wrong}`)).toEqual({ ok: false, cause: 'no key matched' });
  });

  it('does not let a second timestamp stand in for the signed one', () => {
    const recipe: HmacRecipe = {
      header: 'X-S',
      fields: { timestamp: 't', signature: 'v1' },
      signedContent: '{timestamp}.{body}',
    };
    const old = mac('1600000000.body').toString('hex');
    const of = (value: string) => verifier(recipe).verify(requestOf({ 'x-s': value }, 'body'), NOW).ok;
    expect(of(`t=1600000000,t=1700000000,v1=${old}`)).toBe(false);
    expect(of(`t=1700000000,t=1600000000,v1=${old}`)).toBe(false);
  });

  it('names what is missing', () => {
    const recipe: HmacRecipe = {
      header: 'X-S',
      prefix: 'v0=',
      timestamp: { header: 'X-T' },
      id: { header: 'X-Id' },
      signedContent: '{id}.{timestamp}.{header:X-Topic}.{body}',
    };
    const all = { 'x-s': 'v0=00', 'x-t': '1700000000', 'x-id': 'a', 'x-topic': 'b' };
    const without = (name: string) => {
      const verdict = verifier(recipe).verify(
        requestOf(Object.fromEntries(Object.entries(all).filter(([other]) => other !== name))),
        NOW,
      );
      return verdict.ok ? 'ok' : verdict.cause;
    };
    expect(without('x-s')).toBe('header X-S is missing');
    expect(without('x-t')).toBe('header X-T is missing');
    expect(without('x-id')).toBe('header X-Id is missing');
    expect(without('x-topic')).toBe('header X-Topic, which is signed, is missing');
    expect(without('')).toBe('no key matched');
    expect(verifier(recipe).verify(requestOf({ ...all, 'x-s': '00' }), NOW)).toEqual({
      ok: false,
      cause: 'header X-S has no signature that begins with "v0="',
    });
  });

  it.each([
    ['Seconds', '1700000000', '1699999588', '1700000412', 'x'],
    ['Milliseconds', '1700000000000', '1699999588000', '1700000412000', '17e11'],
    ['RFC3339', '2023-11-14T22:13:20Z', '2023-11-14T22:06:28Z', '2023-11-14T22:20:12Z', 'yesterday'],
  ] as const)('keeps a tolerance in both directions (%s)', (unit, inTime, past, future, garbage) => {
    const recipe: HmacRecipe = {
      header: 'X-S',
      timestamp: { header: 'X-T', unit },
      signedContent: '{timestamp}{body}',
    };
    const of = (text: string, toleranceMs?: number) => {
      const verdict = verifier(toleranceMs === undefined ? recipe : { ...recipe, toleranceMs }).verify(
        requestOf({ 'x-t': text, 'x-s': mac(`${text}body`).toString('hex') }, 'body'),
        NOW,
      );
      return verdict.ok ? 'ok' : verdict.cause;
    };
    expect(of(inTime)).toBe('ok');
    expect(of(past)).toBe('timestamp is 412 s old, tolerance 300 s');
    expect(of(future)).toBe('timestamp is 412 s in the future, tolerance 300 s');
    expect(of(past, 412_000)).toBe('ok');
    expect(of(future, 412_000)).toBe('ok');
    expect(of(garbage)).toMatch(/^timestamp is no /);
  });

  it('signs the public address where {url} says so', () => {
    const once = verifier(
      { header: 'X-S', signedContent: '{url}|{body}' },
      [keyOf('key')],
      'https://a.example/',
    );
    const headers = { 'x-s': mac('https://a.example/e/s?x=1|body').toString('hex') };
    expect(once.verify(requestOf(headers, 'body', '/e/s?x=1'), NOW).ok).toBe(true);
    expect(once.verify(requestOf(headers, 'body', '/e/s?x=2'), NOW).ok).toBe(false);
  });

  it('signs header values and literal text as the bytes they are', () => {
    const once = verifier({ header: 'X-S', signedContent: 'ü{header:X-Name}{body}' });
    const headers = {
      'x-name': Buffer.from('Zoë').toString('latin1'),
      'x-s': mac('üZoëbody').toString('hex'),
    };
    expect(once.verify(requestOf(headers, 'body'), NOW).ok).toBe(true);
  });
});

describe('a key that is text', () => {
  const of = (secret: Buffer, key: Buffer | string) =>
    verifier({ header: 'X-S' }, [keyOf('', { secret: secret.toString('base64') })]).verify(
      requestOf({ 'x-s': createHmac('sha256', key).update('body').digest('hex') }, 'body'),
      NOW,
    );

  it('ends before the line ends of the file that it came from', () => {
    for (const text of ['s3cr3t\n', 's3cr3t\r\n', 's3cr3t\n\n'])
      expect(of(Buffer.from(text), 's3cr3t').ok).toBe(true);
    expect(of(Buffer.from('s3cr3t \n'), 's3cr3t ').ok).toBe(true);
    expect(of(Buffer.from('s3\ncr3t'), 's3\ncr3t').ok).toBe(true);
    expect(findings({ header: 'X-S' }, [keyOf('\n')])[0]?.message).toContain('is empty');
  });

  it('is no text where its bytes are none: then all of them count', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0a]);
    expect(of(bytes, bytes).ok).toBe(true);
    expect(of(bytes, bytes.subarray(0, 2)).ok).toBe(false);
  });
});

describe('keys of a recipe', () => {
  const keys = [
    keyOf('old', { name: 'old', notAfter: NOW }),
    keyOf('new', { name: 'new' }),
    keyOf('next', { name: 'next' }),
  ];
  const of = (key: string, now: number) =>
    verifier({ header: 'X-S' }, keys).verify(
      requestOf({ 'x-s': mac('body', key).toString('hex') }, 'body'),
      now,
    );

  it('any of them verifies, and is named', () => {
    expect(of('new', NOW)).toEqual({ ok: true, key: 'new' });
    expect(of('next', NOW)).toEqual({ ok: true, key: 'next' });
    expect(of('none', NOW)).toEqual({ ok: false, cause: 'no key matched' });
  });

  it('end at notAfter, when a request comes', () => {
    expect(of('old', NOW - 1)).toEqual({ ok: true, key: 'old' });
    expect(of('old', NOW)).toEqual({ ok: false, cause: 'key "old" matched, past its notAfter' });
  });

  it('are told apart from none', () => {
    const headers = { 'x-s': mac('body').toString('hex') };
    expect(verifier({ header: 'X-S' }, []).verify(requestOf(headers, 'body'), NOW)).toEqual({
      ok: false,
      cause: 'there is no key',
    });
  });
});

describe('findings of a recipe', () => {
  it('name the field and the remedy', () => {
    const content = (signedContent: string) => findings({ header: 'X-S', signedContent })[0]?.message;
    expect(content('{timestamp}.{body}')).toMatch(/nothing says where it comes from; set timestamp.header/);
    expect(content('{id}.{body}')).toMatch(/set id.header or fields.id/);
    expect(content('{url}.{body}')).toMatch(/set spec.publicUrl/);
    expect(content('{constructor}.{body}')).toMatch(/\{constructor\} is not known; use \{body\}/);
    expect(content('{header:}.{body}')).toMatch(/is not known/);
    expect(content('static')).toMatch(/must hold \{body\} exactly once/);
    expect(content('{body}{body}')).toMatch(/must hold \{body\} exactly once/);
    expect(findings({ header: 'X-S', timestamp: { header: 'X-T' } })).toEqual([
      {
        field: 'spec.hmac.signedContent',
        message: expect.stringMatching(/leaves the timestamp unsigned/) as string,
      },
    ]);
    expect(findings({ header: 'X-S', fields: {} })[0]?.field).toBe('spec.hmac.fields.signature');
    expect(findings({ header: 'X-S', fields: { signature: 's' }, separator: '' })[0]?.field).toBe(
      'spec.hmac.separator',
    );
    expect(findings({ header: 'X-S', prefix: 'v1,', separator: ',' })[0]?.field).toBe('spec.hmac.separator');
  });

  it('come all at once and never quote a key', () => {
    const all = findings({ header: 'X-S', signedContent: '{x}', keyEncoding: 'Base64' }, [
      keyOf('good'),
      keyOf('s3cr3t!', { name: 'bad' }),
      keyOf('', { name: 'empty' }),
    ]);
    expect(all.map((finding) => finding.field)).toEqual([
      'spec.hmac.signedContent',
      'spec.hmac.signedContent',
      'spec.secrets[1]',
      'spec.secrets[2]',
    ]);
    expect(all[2]?.message).toBe(
      'the value of key "bad" is not Base64; put the key as the provider shows it into the Secret',
    );
    expect(JSON.stringify(all)).not.toContain('s3cr3t');
  });
});
