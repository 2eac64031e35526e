import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../receiver/errors.ts';
import { encodeBinary, encodeStructured } from '../../receiver/event/encode.ts';
import { CloudEvent } from '../../receiver/event/event.ts';
import { parseCloudEvent, parseCloudEvents } from '../../receiver/event/parse.ts';
import { compileEventMapping } from '../../receiver/event/payload.ts';
import { LENIENT, STRICT } from '../../receiver/event/validate.ts';
import { endpointEntry } from '../../receiver/routing/testing.ts';
import { compileVerifier } from '../../receiver/verify/schemes.ts';

/** As `node:http` gives them: a character per byte, no line ends. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, unit: 'grapheme-ascii' }) },
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('%41%zz', '"a\\"', '%C3%A9', 'Ã©', ''),
);
/** Nearly always right, so that what comes behind it is reached. */
const often = (right: string) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: value });
const name = fc.oneof(
  { weight: 12, arbitrary: fc.stringMatching(/^[a-z0-9]{1,12}$/) },
  fc.string({ maxLength: 12 }).filter((text) => !/[\0-\x20:]/.test(text)),
);
const contentType = fc.constantFrom(
  undefined,
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json; x="',
  'application/cloudevents+xml',
  'application/x-www-form-urlencoded',
  'text/plain;;',
);
const headers = fc
  .tuple(
    fc.dictionary(name, value, { maxKeys: 3 }),
    fc.record({ specversion: often('1.0'), id: value, source: often('/s'), type: value }),
    contentType,
  )
  .map(([others, core, type]) => {
    const all: Record<string, string> = {};
    for (const [name, text] of Object.entries({ ...others, ...core })) all[`ce-${name}`] = text;
    return type === undefined ? all : { ...all, 'content-type': type };
  });
const attribute = fc.oneof(
  { weight: 12, arbitrary: fc.string({ minLength: 1, unit: 'grapheme' }) },
  { weight: 4, arbitrary: fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)) },
  fc.oneof(fc.string(), fc.double(), fc.object()),
);
const envelope = fc
  .tuple(
    fc.dictionary(name, attribute, { maxKeys: 3 }),
    fc.record(
      {
        specversion: often('1.0'),
        id: attribute,
        source: often('/s'),
        type: attribute,
        data: fc.jsonValue(),
        data_base64: fc.constantFrom('AA==', '!', 1),
        datacontenttype: fc.constantFrom('application/json', 'text/plain', 'x', null),
      },
      { requiredKeys: ['specversion', 'id', 'source', 'type'] },
    ),
  )
  .map(([others, core]) => JSON.stringify({ ...others, ...core }));
const body = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  envelope.map((json) => Buffer.from(json)),
  fc.array(envelope).map((all) => Buffer.from(`[${all.join(',')}]`)),
  fc.tuple(envelope, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([json, at, byte]) => {
    const bytes = Buffer.from(json);
    bytes[at % bytes.length] = byte;
    return bytes;
  }),
);

/** What is not an event is told as a refusal of the request, never as a fault. */
function read<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    expect([400, 413, 415]).toContain(error.status);
    return undefined;
  }
}

describe('whatever comes', () => {
  it('is events or a refusal, and an event that was read is written so that it reads the same', () => {
    let events = 0;
    fc.assert(
      fc.property(headers, body, fc.constantFrom(STRICT, LENIENT), (given, bytes, rules) => {
        for (const event of read(() => parseCloudEvents(given, bytes, rules)) ?? []) {
          if (!(event instanceof CloudEvent)) continue;
          events++;
          const { attributes, body: data } = event;
          const structured = encodeStructured(event);
          const back = parseCloudEvent(structured.headers, structured.body, rules);
          expect(back.attributes).toEqual(attributes);
          expect(back.body ?? Buffer.alloc(0)).toEqual(data ?? Buffer.alloc(0));
          const binary = encodeBinary(event);
          expect(parseCloudEvent(binary.headers, binary.body, rules).attributes).toMatchObject(attributes);
        }
      }),
      { numRuns: 3000 },
    );
    expect(events).toBeGreaterThan(300);
  });

  it.each(['Emporix', 'GitHub', 'Stripe', 'StandardWebhooks', 'HMAC'])(
    'is proved or not by scheme %s, and mapped or refused',
    async (scheme) => {
      const hmac = {
        header: 'X-Signature',
        fields: { timestamp: 't', signature: 'v1' },
        signedContent: '{timestamp}.{body}',
      };
      const secret = Buffer.from('c2VjcmV0').toString('base64');
      const entry = endpointEntry({
        scheme,
        keys: [{ name: 'k', secret }],
        ...(scheme === 'HMAC' ? { hmac } : {}),
      });
      const verifier = compileVerifier(entry);
      const toEvent = compileEventMapping(entry);
      if (!verifier.ok || !toEvent.ok) throw new Error(JSON.stringify([verifier, toEvent]));
      const names = fc.constantFrom(
        'x-emporix-hmac',
        'x-hub-signature-256',
        'stripe-signature',
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
        'x-signature',
        'authorization',
      );
      const texts = fc.oneof(value, fc.constantFrom('sha256=', 't=1,v1=', 'v1,AA==', '1,2,3', 'Bearer x'));
      await fc.assert(
        fc.asyncProperty(headers, fc.dictionary(names, texts), body, async (given, proofs, bytes) => {
          const request = { method: 'POST', url: '/e/x', headers: { ...given, ...proofs }, body: bytes };
          expect(await verifier.value.verify(request, 1000)).toMatchObject({ ok: false });
          read(() => toEvent.value(request, 1000, () => 'unique'));
        }),
        { numRuns: 300 },
      );
    },
  );
});
