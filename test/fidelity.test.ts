import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointEntry } from '../receiver/routing/testing.ts';
import { type Arrived, openStage, type Stage, signature } from '../receiver/testing.ts';

/*
 * Events go in and come out over real sockets. What writes and reads them here shares no code with the receiver.
 */

interface Event {
  /** Without `id`, which each event gets anew. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Data | undefined;
}

interface Data {
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  /** How the JSON format holds it. */
  readonly as: 'json' | 'text' | 'base64';
}

type Mode = 'binary' | 'raw' | 'structured' | 'batch';

const CORE = ['specversion', 'id', 'source', 'type', 'subject', 'time', 'dataschema', 'datacontenttype'];
/** `instanceid` has two names; the hop count is the receiver's own. */
const OTHERS = ['data', 'instanceid', 'cxpinstanceid', 'signalboxhops', 'signalboxorigin'];

const allowed = (text: string): boolean => !/[\p{Cc}\p{Cs}\p{Cn}]/u.test(text);
const text = fc
  .oneof(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme' }), fc.constant(' "50 %41" é '))
  .filter(allowed);
const filled = text.filter((value) => value !== '');
const name = fc.stringMatching(/^[a-z0-9]{1,20}$/).filter((value) => ![...CORE, ...OTHERS].includes(value));
const attributes = fc
  .record(
    {
      type: filled,
      source: fc.constantFrom('/shop', 'urn:uuid:6e8bc430', 'https://example.com/a?b=c#d', '../x%20y'),
      subject: filled,
      time: fc.constantFrom('2018-04-05T03:56:24.123456789+02:00', '2018-04-05t03:56:24z'),
      dataschema: fc.constantFrom('https://example.com/schema', 'urn:a:b'),
    },
    { requiredKeys: ['type', 'source'] },
  )
  .chain((core) => fc.dictionary(name, text).map((extensions) => ({ ...extensions, ...core })));

const jsonData = fc
  .tuple(
    fc.json(),
    fc.constantFrom(
      undefined,
      'application/json',
      'Application/JSON ; charset="utf-8"',
      'text/json',
      'application/vnd.x+json',
    ),
    fc.constantFrom(0, 2),
  )
  .map(([json, contentType, indent]): Data => {
    const written = JSON.stringify(JSON.parse(json), null, indent);
    return { contentType, bytes: Buffer.from(written), as: 'json' };
  });
const numbers = fc
  .constantFrom('1.0', '-0', '12345678901234567890', '1e400', '{"a":1,"a":2}', '"\\u00e9\\ud800"', '[ ]')
  .map((json): Data => ({ contentType: 'application/json', bytes: Buffer.from(json), as: 'json' }));
const textData = fc
  .tuple(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('text/plain', 'TEXT/XML; charset=UTF-8', 'application/xml'),
  )
  .map(([value, contentType]): Data => ({ contentType, bytes: Buffer.from(value), as: 'text' }))
  .filter(({ bytes }) => Buffer.from(bytes.toString()).equals(bytes));
const bytesData = fc
  .tuple(
    fc.uint8Array(),
    fc.constantFrom(
      'application/octet-stream',
      'image/png',
      'text/plain; charset=latin1',
      'application/json',
    ),
  )
  .map(([bytes, contentType]): Data => ({ contentType, bytes: Buffer.from(bytes), as: 'base64' }));

const event: fc.Arbitrary<Event> = fc.record({
  attributes,
  data: fc.option(fc.oneof(jsonData, numbers, textData, bytesData), { nil: undefined }),
});

function percent(value: string, plain: (byte: number) => boolean): string {
  return [...Buffer.from(value)]
    .map((byte) => (plain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`))
    .join('');
}

const encoded = (value: string): string =>
  percent(value, (byte) => byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25);
/** As many senders write: bytes beyond ASCII, blanks and inner quotes as they are. */
const raw = (value: string): string =>
  value.trim() === value && !value.startsWith('"') ? percent(value, (byte) => byte !== 0x25) : encoded(value);

function headersOf({ attributes: own, data }: Event, id: string, write: (value: string) => string) {
  const headers: Record<string, string> = { 'ce-specversion': '1.0', 'ce-id': write(id) };
  for (const [key, value] of Object.entries(own)) headers[`ce-${key}`] = write(value);
  if (data?.contentType !== undefined) headers['content-type'] = data.contentType;
  return headers;
}

function envelopeOf({ attributes: own, data }: Event, id: string): string {
  const members = Object.entries({ specversion: '1.0', id, ...own }).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  if (data?.contentType !== undefined)
    members.push(`"datacontenttype" : ${JSON.stringify(data.contentType)}`);
  if (data?.as === 'json') members.push(`"data":\n${data.bytes.toString()}`);
  if (data?.as === 'text') members.push(`"data":${JSON.stringify(data.bytes.toString())}`);
  if (data?.as === 'base64') members.push(`"data_base64": "${data.bytes.toString('base64')}"`);
  return `{${members.join(',')}}`;
}

type Message = { readonly headers: Record<string, string>; readonly body: Buffer };
type Sent = { readonly event: Event; readonly id: string };

const WRITERS: Readonly<Record<Mode, (events: readonly Sent[]) => readonly Message[]>> = {
  binary: (events) => events.map(({ event: each, id }) => binary(each, id, encoded)),
  raw: (events) => events.map(({ event: each, id }) => binary(each, id, raw)),
  structured: (events) =>
    events.map(({ event: each, id }) => ({
      headers: { 'content-type': 'Application/CloudEvents+JSON;charset=UTF-8' },
      body: Buffer.from(envelopeOf(each, id)),
    })),
  batch: (events) => [
    {
      headers: { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' },
      body: Buffer.from(`[${events.map(({ event: each, id }) => envelopeOf(each, id)).join(' ,\n')}]`),
    },
  ],
};

function binary(each: Event, id: string, write: (value: string) => string): Message {
  return { headers: headersOf(each, id, write), body: each.data?.bytes ?? Buffer.alloc(0) };
}

type Read = { readonly attributes: Readonly<Record<string, string>>; readonly data: Buffer | undefined };

function readBinary({ headers, body }: Arrived): Read {
  const own: Record<string, string> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (key.startsWith('ce-')) own[key.slice(3)] = decodeURIComponent(String(value));
    if (key === 'content-type') own['datacontenttype'] = String(value);
  }
  return { attributes: own, data: body };
}

function readStructured({ body }: Arrived): Read {
  const all = body.toString();
  const { data, data_base64: base64, ...own } = JSON.parse(all) as Record<string, string>;
  const read: Record<string, string> = own;
  if (base64 !== undefined) return { attributes: read, data: Buffer.from(base64, 'base64') };
  if (!('data' in JSON.parse(all))) return { attributes: read, data: undefined };
  // Within a string its quotes would be escaped.
  const json = body.subarray(body.indexOf(',"data":') + 8, body.length - 1);
  const isJson = /[/+]json/i.test(read['datacontenttype'] ?? 'application/json');
  return { attributes: read, data: isJson ? json : Buffer.from(String(data)) };
}

let stage: Stage;
let count = 0;
let seen = 0;
beforeAll(async () => {
  stage = await openStage();
  const structured = stage.toSink({ name: 'structured', shape: { sink: { format: 'structured' } } });
  stage.apply(endpointEntry(), stage.toSink({ name: 'binary' }), {
    ...structured,
    destination: { ...structured.destination, url: structured.destination.url.replace('/in', '/structured') },
  });
});
afterAll(() => stage.close());

async function post({ headers, body }: Message): Promise<void> {
  const sending = request(`${stage.receiver.addresses.public}/e/shop.hooks`, {
    method: 'POST',
    headers: { ...headers, ...signature(body) },
  });
  sending.end(body);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let answer = '';
  for await (const chunk of response) answer += String(chunk);
  expect([response.statusCode, answer]).toEqual([202, expect.not.stringContaining('"error"')]);
}

function expected({ event: { attributes: own, data }, id }: Sent, format: string): Read {
  // A header must say what the JSON format leaves unsaid.
  const implied = format === 'binary' && data?.as === 'json' ? 'application/json' : undefined;
  const contentType = data?.contentType ?? implied;
  return {
    attributes: {
      specversion: '1.0',
      id,
      ...own,
      ...(contentType === undefined ? {} : { datacontenttype: contentType }),
      signalboxhops: '1',
    },
    data: data?.bytes ?? (format === 'binary' ? Buffer.alloc(0) : undefined),
  };
}

describe('an event', () => {
  it.each(['binary', 'raw', 'structured', 'batch'] as const)(
    'that comes in %s mode leaves as it came in binary and in structured mode',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 10 }), async (events) => {
          const sent = events.map((each) => ({ event: each, id: `é ${count++}` }));
          for (const message of WRITERS[mode](sent)) await post(message);
          const arrived = (await stage.delivered(seen + 2 * sent.length)).slice(seen);
          seen += arrived.length;
          for (const [path, read] of [
            ['/in', readBinary],
            ['/structured', readStructured],
          ] as const) {
            const got = arrived.filter((each) => each.path === path).map(read);
            const byId = new Map(got.map((each) => [each.attributes['id'], each]));
            for (const each of sent)
              expect(byId.get(each.id)).toEqual(expected(each, path === '/in' ? 'binary' : 'structured'));
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});
