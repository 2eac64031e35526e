import { HTTP, CloudEvent as SdkEvent } from 'cloudevents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodedEvent, encodeBinary, encodeStructured } from './encode.ts';
import type { CloudEvent } from './event.ts';
import { parseCloudEvent } from './parse.ts';
import { eventOf } from './testing.ts';
import { isAllowedText, STRICT } from './validate.ts';

const MODES = { binary: encodeBinary, structured: encodeStructured } as const;
type Mode = keyof typeof MODES;

/** What arrives where `encoded` is sent: header values travel as bytes. */
function arrive({ headers, body }: EncodedEvent): CloudEvent {
  for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
  return parseCloudEvent(headers, Buffer.from(body), STRICT);
}

const EMPTY = Buffer.alloc(0);

const text = fc.string({ unit: 'binary', maxLength: 30 }).filter(isAllowedText);
const full = text.filter((value) => value !== '');

const attributes = fc
  .record(
    {
      id: full,
      type: full,
      source: fc.constantFrom('/a', 'https://a.example/b?c=%20d#e', 'urn:uuid:1', 'ojs://x', '//h/%25'),
      subject: full,
      time: fc.constantFrom(
        '2018-04-05T17:31:00Z',
        '2018-04-05T17:31:00.123456789+02:00',
        '1990-12-31t23:59:60z',
      ),
      dataschema: fc.constantFrom('https://a.example/s', 'urn:s'),
      region: text,
      proto0: text,
    },
    { requiredKeys: ['id', 'type', 'source'] },
  )
  .map((record) => ({ ...record }));

/** Media types with data that fits, and data that doesn't. */
const content: fc.Arbitrary<{ type: string | undefined; body: Buffer | undefined }> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      undefined,
      'application/json',
      'Application/Vnd.x+JSON; charset="UTF-8"',
      'text/json',
    ),
    body: fc
      .json()
      .chain((json) =>
        fc.constantFrom(json, JSON.stringify(JSON.parse(json), null, 2)).map((s) => Buffer.from(s)),
      ),
  }),
  fc.record({
    type: fc.constantFrom(
      'text/plain',
      'application/xml; charset=utf-8',
      'text/csv;charset=iso-8859-1',
      'application/x-www-form-urlencoded',
    ),
    body: fc.string({ unit: 'grapheme' }).map((s) => Buffer.from(s)),
  }),
  fc.record({
    type: fc.constantFrom(
      undefined,
      'application/octet-stream',
      'application/json',
      'text/plain',
      'image/png; a="b;c"',
    ),
    body: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.constant({ type: undefined, body: undefined }),
);

describe('any event, through any two modes', () => {
  it('keeps its attribute strings and the bytes of its data', () => {
    const modes = fc.constantFrom<Mode>('binary', 'structured');
    fc.assert(
      fc.property(attributes, content, modes, modes, (strings, { type, body }, first, second) => {
        const sent = eventOf(type === undefined ? strings : { ...strings, datacontenttype: type }, body);
        const received = arrive(MODES[second](arrive(MODES[first](sent))));
        const { datacontenttype, ...rest } = received.attributes;
        expect({ ...rest }).toEqual({ specversion: '1.0', ...strings });
        // Data that had no media type and is JSON may be told to be what it is.
        expect(type ?? datacontenttype ?? 'application/json').toBe(datacontenttype ?? 'application/json');
        const bytes = received.body ?? EMPTY;
        // White space around a JSON value stands in the envelope and is no part of the value.
        const inside =
          first === 'binary' && second === 'binary' ? body : Buffer.from(body?.toString().trim() ?? '');
        expect(bytes.equals(body ?? EMPTY) || bytes.equals(inside ?? EMPTY)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

const envelope = (type: string | undefined, body: string | Buffer) =>
  encodeStructured(eventOf(type === undefined ? {} : { datacontenttype: type }, body)).body.toString();

describe('encoding', () => {
  it('is that of the HTTP binding', () => {
    const event = eventOf({ name: 'Euro € 😀', quote: '"100%"', plain: "!#$&'()*+,-./:;<=>?@[]^_`{|}~" });
    expect(encodeBinary(event).headers).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'id-1',
      'ce-source': '/source',
      'ce-type': 'com.example.created',
      'ce-name': 'Euro%20%E2%82%AC%20%F0%9F%98%80',
      'ce-quote': '%22100%25%22',
      'ce-plain': "!#$&'()*+,-./:;<=>?@[]^_`{|}~",
    });
  });

  it('leaves JSON in the envelope byte for byte, text as a string, the rest as Base64', () => {
    expect(envelope('application/json', ' {"a" : 1.0} ')).toContain(',"data": {"a" : 1.0} }');
    expect(envelope(undefined, '1e2')).toContain(',"data":1e2}');
    expect(envelope('application/json', '{"a":')).toContain(',"data_base64":"eyJhIjo="}');
    expect(envelope('application/json', '')).toContain(',"data_base64":""}');
    expect(envelope('text/plain', 'a"ü\n')).toContain(',"data":"a\\"ü\\n"}');
    expect(envelope('text/plain', Buffer.from([0xff]))).toContain(',"data_base64":"/w=="}');
    expect(envelope('text/plain; charset=iso-8859-1', 'ü')).toContain('data_base64');
    expect(envelope('image/png', 'ascii')).toContain('data_base64');
    expect(envelope('application/json', Buffer.from([0x22, 0xff, 0x22]))).toContain('data_base64');
  });

  it('tells the implied media type in binary mode', () => {
    expect(encodeBinary(eventOf({}, '{"a":1}')).headers['content-type']).toBe('application/json');
    expect(encodeBinary(eventOf({}, 'not json')).headers['content-type']).toBeUndefined();
    expect(
      encodeBinary(eventOf({}, Buffer.from([0x22, 0xff, 0x22]))).headers['content-type'],
    ).toBeUndefined();
    expect(encodeBinary(eventOf()).headers['content-type']).toBeUndefined();
  });
});

describe('the cloudevents SDK', () => {
  const given = {
    datacontenttype: 'application/json',
    subject: 'ab',
    time: '2018-04-05T17:31:00.000Z',
    region: 'eu',
  };

  it.each(['binary', 'structured'] as const)('reads what is written in %s mode', (mode) => {
    const { headers, body } = MODES[mode](eventOf(given, '{"a":[1,2]}'));
    const event = HTTP.toEvent({ headers, body: body.toString() }) as SdkEvent<unknown>;
    expect(event).toMatchObject({
      ...given,
      id: 'id-1',
      source: '/source',
      type: 'com.example.created',
      data: { a: [1, 2] },
    });
  });

  it.each(['binary', 'structured'] as const)('is read in %s mode', (mode) => {
    const sdk = new SdkEvent({
      ...given,
      id: 'id-1',
      source: '/source',
      type: 'com.example.created',
      data: { a: [1, 2] },
    });
    const { headers, body } = HTTP[mode](sdk);
    const event = parseCloudEvent(headers, Buffer.from(body as string), STRICT);
    expect(event.attributes).toMatchObject({
      ...given,
      id: 'id-1',
      source: '/source',
      type: 'com.example.created',
    });
    expect(event.data).toEqual({ a: [1, 2] });
  });
});
