import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { canonicalJson } from './canonical-json.ts';
import { compileVerifier, findScheme } from './schemes.ts';
import { type HeaderShape, MAX_SIGNATURES, readSignatures, writeSignatures } from './signature-header.ts';
import { signedHeaders } from './signed-headers.ts';
import { keyOf, requestOf } from './testing.ts';

const word = fc.string({ unit: fc.constantFrom(...'abc019+/=_-'), minLength: 1, maxLength: 12 });
const name = fc.constantFrom('t', 'v1', 'sig', 'i', 'ts');

const shapes: fc.Arbitrary<HeaderShape> = fc
  .record({
    prefix: fc.constantFrom('', 'sha256=', 'v1:'),
    separator: fc.constantFrom(',', ' ', ';', ' , '),
    names: fc.uniqueArray(name, { minLength: 3, maxLength: 3 }),
    fields: fc.boolean(),
  })
  .map(({ prefix, separator, names: [timestamp, signature = '', id], fields }) => ({
    prefix,
    separator,
    fields: fields ? { signature, timestamp, id } : undefined,
  }));

describe('a signature header', () => {
  it('is read as it was written, whatever stands between', () => {
    const contents = fc.record({
      signatures: fc.array(word, { minLength: 1, maxLength: MAX_SIGNATURES }),
      timestamp: word,
      id: word,
    });
    fc.assert(
      fc.property(shapes, contents, (shape, content) => {
        const read = readSignatures(writeSignatures(shape, content), shape);
        expect(read.signatures).toEqual(content.signatures);
        if (shape.fields !== undefined) {
          expect(read.timestamp).toBe(content.timestamp);
          expect(read.id).toBe(content.id);
        }
      }),
    );
  });

  it('yields no more than it may, and never throws', () => {
    fc.assert(
      fc.property(shapes, fc.string({ maxLength: 400 }), (shape, text) => {
        const { signatures } = readSignatures(text, shape);
        expect(signatures.length).toBeLessThanOrEqual(MAX_SIGNATURES);
      }),
    );
  });
});

describe('any scheme', () => {
  const keys: Readonly<Record<string, string>> = {
    Basic: 'a:b',
    StandardWebhooks: 'c2Vj',
    SignedHeaders: 'c2Vj',
  };
  const schemes = (
    'Emporix EmporixCommerce GitHub GitLab Stripe Slack Shopify StandardWebhooks ' +
    'Twilio OJS Convoy SignedHeaders Basic Bearer'
  )
    .split(' ')
    .map((scheme) => {
      const entry = { scheme, keys: [keyOf(keys[scheme] ?? 'key')], publicUrl: 'https://a' };
      const compiled = compileVerifier(endpointEntry(entry));
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
      return compiled.value;
    });
  const headerNames = (
    'x-emporix-hmac emporix-event-signature x-hub-signature-256 x-gitlab-token stripe-signature ' +
    'x-slack-signature x-slack-request-timestamp x-shopify-hmac-sha256 webhook-id svix-id ' +
    'webhook-timestamp webhook-signature svix-signature x-twilio-signature x-ojs-signature ' +
    'x-ojs-timestamp x-convoy-signature authorization content-type ce-type'
  ).split(' ');
  const value = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 80 }),
    fc.constantFrom(
      '1',
      'v1,',
      'v0=',
      'sha256=',
      't=1,v1=00',
      'Basic',
      'Bearer ',
      'application/json',
      '0'.repeat(64),
    ),
  );

  it('refuses whatever is made up, says why, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...headerNames), value, { maxKeys: 8 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.string({ maxLength: 40 }),
        async (headers, body, query) => {
          for (const verifier of schemes) {
            const request = requestOf(headers, Buffer.from(body), `/e/s?${query}`);
            const verdict = await verifier.verify(request, 1000);
            expect(verdict).toEqual({ ok: false, cause: expect.any(String) });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what SignedHeaders signs', () => {
  const text = fc.string({ unit: fc.constantFrom(...'a.;%=2E5'), maxLength: 8 });
  const messages = fc.record({
    id: text,
    timestamp: fc.constantFrom<string>('1', '12'),
    type: text,
    instance: text,
    others: fc.dictionary(fc.constantFrom('ce-source', 'ce-id', 'ce-a', 'content-type'), text),
    body: text,
  });
  type Message = typeof messages extends fc.Arbitrary<infer M> ? M : never;

  function signed({ id, timestamp, type, instance, others, body }: Message): string {
    const [recipe] = 'recipes' in signedHeaders.proof ? signedHeaders.proof.recipes({}) : [];
    const headers = { ...others, 'ce-type': type, 'ce-instanceid': instance };
    return `${recipe?.content?.head({ id, timestamp, url: '', headers })}${body}`;
  }

  it('is another text for every other message: nothing can be shifted from one part into the next', () => {
    fc.assert(
      fc.property(messages, messages, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const same = (m: Message) =>
          JSON.stringify([m.id, m.timestamp, m.type, m.instance, Object.entries(m.others).sort(), m.body]);
        expect(signed(a) === signed(b)).toBe(same(a) === same(b));
      }),
      { numRuns: 2000 },
    );
  });

  it('is as the decision page says', () => {
    const message = {
      id: 'msg_1',
      timestamp: '1700000000',
      type: 'order.created',
      instance: '',
      others: {
        'ce-specversion': '1.0',
        'ce-id': 'msg_1',
        'ce-source': '/shop',
        'content-type': 'application/json',
      },
      body: '{}',
    };
    expect(signed(message)).toBe(
      'msg_1.1700000000.order%2Ecreated.;ce-id=msg_1;ce-source=/shop;ce-specversion=1%2E0;content-type=application/json.{}',
    );
    const bare = { ...message, id: 'a', type: '', others: {} };
    expect(signed(bare)).toBe('a.1700000000...{}');
  });
});

describe('canonical JSON', () => {
  /** The members sorted, by a replacer: another way to the same text. */
  function reference(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  }
  // An object of JavaScript has members that look like numbers first: the reference cannot write those.
  const values = fc
    .object({ key: fc.string({ minLength: 1 }).map((key) => `k${key}`), maxDepth: 4 })
    .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

  it('is the sorted text, whatever the spacing', () => {
    fc.assert(
      fc.property(values, fc.nat(4), (value, indent) => {
        expect(canonicalJson(Buffer.from(JSON.stringify(value, null, indent)))?.toString()).toBe(
          reference(value),
        );
      }),
    );
  });

  it('sorts names that look like numbers as texts, and keeps long integers', () => {
    const text = '{"9":1, "10":12345678901234567890, "__proto__":{"b":-0.50,"a":1e2}}';
    expect(canonicalJson(Buffer.from(text))?.toString()).toBe(
      '{"10":12345678901234567890,"9":1,"__proto__":{"a":100,"b":-0.5}}',
    );
  });

  it('is nothing where the text is no JSON, or says a member twice', () => {
    for (const text of ['', '{', '{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]', '{"a":1}x'])
      expect([text, canonicalJson(Buffer.from(text))]).toEqual([text, undefined]);
    expect(canonicalJson(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
    expect(canonicalJson(Buffer.from('{"a":"x:y\\":{}:","b":":"}'))).toBeDefined();
    const large = JSON.stringify({ a: '\n:"'.repeat(1_000_000), b: ':'.repeat(1_000_000) });
    expect(canonicalJson(Buffer.from(large))?.toString()).toBe(large);
  });
});

describe('canonical JSON of a number past all that JavaScript has', () => {
  it.each(['1e400', '-1e400', '{"a":1e400}', '[[1,-2e999]]'])('is nothing: %s', (text) => {
    expect(canonicalJson(Buffer.from(text))).toBeUndefined();
  });

  it('is there for the largest that it has, and for digits that go on', () => {
    const digits = '9'.repeat(400);
    const text = `{"a":1.7976931348623157e+308,"b":-1e-400,"c":null,"d":${digits}}`;
    expect(canonicalJson(Buffer.from(text))?.toString()).toBe(
      `{"a":1.7976931348623157e+308,"b":0,"c":null,"d":${digits}}`,
    );
  });
});

describe('canonical JSON of many values', () => {
  const of = (text: string) => canonicalJson(Buffer.from(text))?.toString();

  it('is nothing, whatever the values are', () => {
    const most = `[${Array.from({ length: 19_999 }, () => '1').join(',')}]`;
    expect(of(most)).toBe(most);
    expect(of(`[1,${most.slice(1)}`)).toBeUndefined();
    const members = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, 1])));
    expect(of(members(19_999))).toBeDefined();
    expect(of(members(20_000))).toBeUndefined();
    expect(of(`[${Array.from({ length: 10_001 }, () => '{}').join(',')}]`)).toBeUndefined();
  });

  it('is there where only a text holds their marks', () => {
    const text = JSON.stringify({ a: ',[{\\"'.repeat(20_000) });
    expect(of(text)).toBe(text);
  });
});

describe('the map of schemes', () => {
  it('has every scheme of the schema', async () => {
    const { validateManifest } = await import('../../crds/validate.ts');
    const { findings } = validateManifest('WebhookSecret', {
      apiVersion: 'signalbox.dev/v1alpha1',
      kind: 'WebhookSecret',
      metadata: { name: 'a', namespace: 'b' },
      spec: { scheme: 'Morse', secrets: [{ name: 'k', secretKeyRef: { name: 'a', key: 'b' } }] },
    });
    const names =
      findings.find(({ field }) => field === 'spec.scheme')?.message.match(/[A-Z][A-Za-z]+/g) ?? [];
    const known = names.filter((one) => findScheme(one, 'spec.scheme').ok);
    expect(known.length).toBe(16);
  });
});
