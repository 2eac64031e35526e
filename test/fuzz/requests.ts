import { createHmac } from 'node:crypto';
import type { Chance } from './chance.ts';

/** One request of the fuzzer, as it goes onto the wire. */
export interface FuzzCase {
  readonly listener: 'public' | 'cluster' | 'admin';
  readonly bytes: Buffer;
  /** Its framing is whole, so that it has an answer and the connection can go on. */
  readonly framed: boolean;
}

/** Texts that have broken parsers before. */
const NASTY = [
  '',
  ' ',
  '"',
  '""',
  '"\\"',
  '%',
  '%zz',
  '%C0%A0',
  '%00',
  '%EF%BF%BF',
  '\u00ff\u00fe',
  '\u00c3\u00a9',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '1.0',
  'v1.0',
  '0.3',
  '-0',
  '1e999',
  '9'.repeat(400),
  'a'.repeat(9000),
  '%41'.repeat(2000),
  '${jndi:ldap://x}',
  "' OR 1=1 --",
  '2018-04-05T03:56:24Z',
  '2018-13-45T99:99:99Z',
  'http://[::1',
  '//',
  'urn:x:y',
];
const NAMES = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'datacontenttype',
  'data',
  'data_base64',
  '__proto__',
  'instanceid',
  'ext1',
  'EXT',
  'a-b',
  'é',
];
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/cloudevents+json',
  'Application/CloudEvents+JSON ; charset=UTF-8',
  'application/cloudevents-batch+json',
  'application/cloudevents+avro',
  'application/cloudevents',
  'application/x-www-form-urlencoded',
  'text/plain',
  'multipart/form-data; boundary=x',
  'nonsense',
  ';',
  '',
];
const PATHS = [
  '/e/shop.hooks',
  '/e/shop.hooks?access_token=x&%zz',
  '/e/shop%2Ehooks',
  '/e/%zz',
  '/e/',
  '/e/__proto__',
  '/e//',
  '/ojs/v1/cloudevents',
  '/ojs/v1/cloudevents/batch',
  '/triggers/shop/inside',
  '/triggers/shop/forward',
  '/triggers/%zz/x',
  '/triggers/a',
  '/',
  '*',
  'http://example.com/e/shop.hooks',
  '/e/shop.hooks#x',
  `/${'x'.repeat(5000)}`,
];
const ADMIN_PATHS = [
  '/api/events',
  '/api/events/1',
  '/api/events/x',
  '/api/events?limit=0',
  '/api/events?cursor=x',
  '/api/events?since=never',
  '/api/events?id=1&id=2',
  '/api/deliveries?state=dead&cursor=99',
  '/api/dead-letters?type[a]=b',
  '/api/rejected?limit=5&code=invalid_event',
  '/api/rejected?cursor=-1',
  '/api/routing?atLeast=x',
  '/api/%zz',
  '/readyz',
  '/metrics?x',
];
const METHODS = ['GET', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH', 'TRACE'];

const GOOD = ['{"orderId":"1"}', '[1,2,3]', '"text"', 'null', '<a/>', 'a=1&payload=%7B%7D'];

/** Draws a request. Most are nearly right, since what is quite wrong does not come far. */
export function drawCase(chance: Chance, adminToken: string): FuzzCase {
  const listener = chance.pick([
    'public',
    'public',
    'public',
    'public',
    'cluster',
    'cluster',
    'admin',
  ] as const);
  const body = listener === 'admin' ? Buffer.alloc(0) : drawBody(chance);
  const method = listener === 'admin' ? chance.pick(['GET', 'GET', 'GET', 'POST']) : drawMethod(chance);
  const head = [`${method} ${drawPath(chance, listener)} HTTP/1.1`, 'host: fuzz'];
  if (listener === 'admin') {
    if (chance.percent(90)) head.push(`authorization: Bearer ${adminToken}`);
  } else {
    head.push(...drawHeaders(chance), ...drawProof(chance, body));
  }
  head.push(`content-length: ${body.length}`);
  const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
  return chance.percent(85)
    ? { listener, bytes, framed: true }
    : { listener, bytes: broken(chance, bytes), framed: false };
}

function drawMethod(chance: Chance): string {
  return chance.percent(92) ? 'POST' : chance.pick(METHODS);
}

function drawPath(chance: Chance, listener: FuzzCase['listener']): string {
  if (listener === 'admin') return chance.pick(ADMIN_PATHS);
  if (chance.percent(20)) return chance.pick(PATHS);
  return listener === 'public' ? '/e/shop.hooks' : '/triggers/shop/inside';
}

function drawProof(chance: Chance, body: Buffer): string[] {
  const key = chance.percent(85) ? 's3cr3t' : 'wrong';
  const proof = createHmac('sha256', key).update(body).digest('base64');
  if (chance.percent(95)) return [`x-emporix-hmac: ${proof}`];
  return chance.pick([
    [],
    ['x-emporix-hmac: '],
    [`x-emporix-hmac: ${drawText(chance)}`],
    [`x-emporix-hmac: ${proof}`, `x-emporix-hmac: ${proof}`],
  ]);
}

function drawHeaders(chance: Chance): string[] {
  const headers = [`content-type: ${chance.pick(TYPES)}`];
  if (chance.percent(30)) return headers;
  headers.push('ce-specversion: 1.0', 'ce-type: t', 'ce-source: /s', `ce-id: ${chance.below(1_000_000)}`);
  if (chance.percent(30)) headers.splice(chance.below(headers.length), 1);
  for (let more = chance.below(3); more > 0; more--)
    headers.push(`ce-${chance.pick(NAMES)}: ${drawText(chance)}`);
  if (chance.percent(10)) headers.push(`authorization: Bearer ${drawText(chance)}`);
  if (chance.percent(2)) for (let i = 0; i < 500; i++) headers.push(`ce-x${i}: ${i}`);
  return headers.map((line) => Buffer.from(line, 'utf8').toString('latin1'));
}

function drawText(chance: Chance): string {
  if (chance.percent(70)) return chance.pick(NASTY);
  // Line ends would make other headers.
  return chance
    .bytes(chance.below(40))
    .toString('latin1')
    .replaceAll(/[\r\n\0]/g, '_');
}

function drawBody(chance: Chance): Buffer {
  const plain = Buffer.from(
    chance.pick([
      () => chance.pick(GOOD),
      () => drawEnvelope(chance),
      () => drawEnvelope(chance),
      () => `[${Array.from({ length: chance.below(6) }, () => drawEnvelope(chance)).join(',')}]`,
      () => drawDeep(chance),
      () => chance.bytes(chance.below(200)).toString('latin1'),
    ])(),
  );
  return chance.percent(25) ? edited(chance, plain) : plain;
}

function drawEnvelope(chance: Chance): string {
  const members = ['"specversion":"1.0"', '"type":"t"', '"source":"/s"', `"id":"${chance.below(1_000_000)}"`];
  if (chance.percent(30)) members.splice(chance.below(members.length), 1);
  for (let more = chance.below(3); more > 0; more--)
    members.push(`${JSON.stringify(chance.pick(NAMES))}:${drawValue(chance)}`);
  if (chance.percent(50)) members.push(`"data":${drawValue(chance)}`);
  return `{${members.join(',')}}`;
}

function drawValue(chance: Chance): string {
  return chance.pick([
    () => JSON.stringify(drawText(chance)),
    () => chance.pick(GOOD),
    () =>
      chance.pick([
        '-0',
        '1e999',
        '0.1',
        '2147483648',
        'true',
        '{}',
        '[]',
        '"\\ud800"',
        '"\\u0000"',
        '01',
        'nul',
      ]),
  ])();
}

function drawDeep(chance: Chance): string {
  const depth = chance.pick([10, 100, 1000, 100_000]);
  const open = chance.pick(['[', '{"a":']);
  const close = open === '[' ? ']' : '}';
  const end = chance.percent(70) ? `0${close.repeat(depth)}` : '';
  const deep = open.repeat(depth) + end;
  return chance.percent(50) ? deep : `{"specversion":"1.0","id":"d","type":"t","source":"/s","data":${deep}}`;
}

/** A few bytes changed, doubled, or gone. */
function edited(chance: Chance, bytes: Buffer): Buffer {
  let result = bytes;
  for (let edits = 1 + chance.below(4); edits > 0; edits--) {
    const at = chance.below(result.length + 1);
    const length = chance.below(8);
    const instead = chance.pick([
      () => chance.bytes(length),
      () => Buffer.alloc(0),
      () => result.subarray(at, at + 20),
    ])();
    const until = at + chance.below(4);
    result = Buffer.concat([result.subarray(0, at), instead, result.subarray(until)]);
  }
  return result;
}

/** No longer a request, or not a whole one. */
function broken(chance: Chance, bytes: Buffer): Buffer {
  const wire = bytes.toString('latin1');
  const chunked = (body: string): string =>
    wire.replace(/content-length: \d+\r\n\r\n[^]*$/, `transfer-encoding: chunked\r\n\r\n${body}`);
  return Buffer.from(
    chance.pick([
      () => edited(chance, bytes).toString('latin1'),
      () => wire.slice(0, chance.below(wire.length)),
      () =>
        wire.replace(
          /content-length: \d+/,
          `content-length: ${chance.pick(['-1', '1e3', '99999999999999999999', '+5', '0x10', ''])}`,
        ),
      () => wire.replace('content-length', 'content-length: 5\r\ncontent-length'),
      () => wire.replace('content-length', 'transfer-encoding: chunked\r\ncontent-length'),
      () =>
        chunked(
          chance.pick([
            '5\r\nhello\r\n0\r\n\r\n',
            'zz\r\n',
            '-5\r\nhello',
            'ffffffffffffffff\r\nx',
            `5;${'x'.repeat(20_000)}\r\n`,
          ]),
        ),
      () => wire.replaceAll('\r\n', '\n'),
      () => wire.replace('host: fuzz', `host: fuzz\r\nx: ${'y'.repeat(40_000)}`),
      () => wire.replace('host: fuzz', Array.from({ length: 3000 }, (_, i) => `x${i}: 1`).join('\r\n')),
      () => wire.replace('host: fuzz\r\n', ''),
      () => wire.replace('host: fuzz', 'host: fuzz\r\nexpect: 100-continue'),
      () => wire.replace('host: fuzz', 'host: fuzz\r\nupgrade: websocket\r\nconnection: upgrade'),
      () => wire.replace('HTTP/1.1', chance.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'XTTP/1.1', ''])),
      () => wire.replace(/^\w+/, chance.pick(['CONNECT', 'post', 'BREW', 'M-SEARCH', '\0', 'PRI'])),
      () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      () => chance.bytes(chance.below(400)).toString('latin1'),
    ])(),
    'latin1',
  );
}
