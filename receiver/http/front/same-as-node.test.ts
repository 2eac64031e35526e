import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cut, mostlyOf } from '../../../test/odd-bytes.ts';
import { dial, type FrontStage, openFrontStage, plain, type Seen } from './testing.ts';

let withFront: FrontStage;
let nodeAlone: FrontStage;
beforeAll(async () => {
  withFront = await openFrontStage(true);
  nodeAlone = await openFrontStage(false);
});
afterAll(() => Promise.all([withFront.listener.close(0), nodeAlone.listener.close(0)]));

const mostly = mostlyOf(60);
const value = fc.oneof(
  { weight: 40, arbitrary: fc.stringMatching(/^[a-z0-9 ,;="]{0,12}$/) },
  fc.constantFrom(
    '',
    ' ',
    '\t',
    '  x \t',
    'a\tb',
    'keep-alive',
    'close',
    'chunked',
    '100-continue',
    'websocket',
  ),
  fc.string({
    maxLength: 8,
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  }),
  fc.constantFrom('\0', 'a\rb', 'a\nb', '\x7f', '\x01', 'a\r\n b'),
);
const name = fc.oneof(
  { weight: 30, arbitrary: fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/) },
  fc.constantFrom('X-A', 'x-a', 'Cookie', 'Set-Cookie', 'Content-Type', 'content-type', 'User-Agent', 'Age'),
  fc.constantFrom('Authorization', 'ETag', 'X-Forwarded-For', 'Host', 'Via', 'ce-id', 'CE-Type', 'Date'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasownproperty', "!#$%&'*+-.^_`|~9"),
  fc.constantFrom('Connection', 'Proxy-Connection', 'Keep-Alive', 'Upgrade', 'Expect', 'TE', 'Trailer'),
  fc.constantFrom(
    'Content-Length',
    'Transfer-Encoding',
    'HTTP2-Settings',
    '',
    'a b',
    'ä',
    'x:',
    '(x)',
    ' x',
    'x ',
  ),
);
const header = fc
  .tuple(
    name,
    mostly(': ', ':', ':\t', ':   ', ' : ', ''),
    value,
    mostly('\r\n', '\n', '\r', ' \r\n', '\t\r\n'),
  )
  .map((parts) => parts.join(''));
const lengthOf = (body: Buffer) =>
  mostly(
    String(body.length),
    `0${body.length}`,
    `+${body.length}`,
    ` ${body.length}\t`,
    `${body.length}, ${body.length}`,
    '1001',
    '-1',
    '1e1',
    '',
    '99999999999999999999',
    String(Math.max(0, body.length - 1)),
  );
const request = fc
  .tuple(
    mostly('POST ', 'GET ', 'PUT ', 'post ', 'POST  ', '\r\nPOST ', 'OPTIONS ', 'BREW ', 'CONNECT ', 'HEAD '),
    mostly(
      '/hot',
      '/hot?a=b%20c',
      '/cold',
      '/hot#x',
      '*',
      'http://x/hot',
      '/hot"',
      '/hot\x80',
      '/h ot',
      '//',
      '',
    ),
    mostly(
      ' HTTP/1.1\r\n',
      ' HTTP/1.0\r\n',
      ' HTTP/1.1\n',
      ' HTTP/2.0\r\n',
      ' http/1.1\r\n',
      '\r\n',
      ' HTTP/1.1 \r\n',
    ),
    mostly('Host: x\r\n', '', 'Host:\r\n', 'Host: x\r\nHost: y\r\n'),
    fc.array(header, { maxLength: 5 }),
    fc.uint8Array({ maxLength: 40 }).chain((bytes) => {
      const body = Buffer.from(bytes);
      const framed = lengthOf(body).map((length) => [
        `Content-Length: ${length}\r\n`,
        body.toString('latin1'),
      ]);
      const chunked = `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`;
      return fc.oneof(
        { weight: 20, arbitrary: framed },
        fc.constant(['Transfer-Encoding: chunked\r\n', body.length === 0 ? '0\r\n\r\n' : chunked]),
        fc.constant(['', '']),
      );
    }),
    mostly('\r\n', '\n', '', '\r\n\r\n'),
  )
  .map(([method, target, version, host, headers, [length = '', body = ''], empty]) =>
    [method, target, version, host, ...headers, length, empty, body].join(''),
  );

/** Pieces that are sent each on its own. */
type Pieces = readonly Buffer[];

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, arbitrary);
}

const cuts = fc.array(fc.nat(), { maxLength: 5 });

/** A request of any kind, with a byte changed or its end missing now and then. */
const adversarial: fc.Arbitrary<Pieces> = fc
  .tuple(
    request.map((text) => Buffer.from(text, 'latin1')),
    cuts,
    rarely(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))),
    rarely(fc.nat()),
  )
  .map(([bytes, cuts, change, end]) => {
    if (change !== undefined) bytes[change[0] % bytes.length] = change[1];
    return cut(end === undefined ? bytes : bytes.subarray(0, end % bytes.length), cuts);
  });

/** Requests that hold, one right behind the other; some are no matter of the front's. */
const pipelined: fc.Arbitrary<Pieces> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.string({ maxLength: 30 }).map((body) => plain(body)) },
        fc.constantFrom(
          plain('x', 'X-A: 1\r\nx-a: 2\r\n'),
          plain('cold', '', '/cold'),
          'GET /hot HTTP/1.1\r\nhost: x\r\n\r\n',
          'POST /hot HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
        ),
      ),
      { minLength: 1, maxLength: 40 },
    ),
    cuts,
  )
  .map(([all, cuts]) => cut(Buffer.from(all.join('')), cuts));

interface Came {
  readonly answers: string;
  readonly hot: readonly Seen[];
  readonly rest: readonly Seen[];
}

/** Sends requests, each in its pieces and each once the last is answered; ends, and tells what came of it. */
async function exchange(stage: FrontStage, requests: readonly Pieces[]): Promise<Came> {
  const { socket, ended } = await dial(stage.port);
  for (const pieces of requests) {
    for (const piece of pieces) {
      socket.write(piece);
      await turns(1);
    }
    await turns(5);
    if (!socket.writable) break;
  }
  socket.end();
  const answers = (await ended).replace(/\r\nDate: [^\r]*/g, '');
  return { answers, hot: stage.hot.splice(0), rest: stage.rest.splice(0) };
}

/** Lets what was sent arrive and be answered: all of it happens in this process. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const CUT = /HTTP\/1\.1 4\d\d [A-Za-z ]+\r\nConnection: close\r\n\r\n$/;

/**
 * Where node:http meets what it cannot read right behind a request, it depends on how the bytes came whether that
 * still has its answer, and whether the 400 goes out behind them: then the shorter is what both must have told.
 */
function told(one: string, other: string): readonly [string, string] {
  const [mine, its] = [one.replace(CUT, ''), other.replace(CUT, '')];
  const cut = mine !== one && its !== other;
  if (!cut && (mine === '' || its === '' || (mine === one && its === other))) return [one, other];
  const length = Math.min(mine.length, its.length);
  return [mine.slice(0, length), its.slice(0, length)];
}

describe('a listener with a front', () => {
  it('sees and answers the same as node:http alone, whatever comes, in whichever pieces', async () => {
    let served = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(adversarial, { minLength: 1, maxLength: 4 }), async (requests) => {
        const front = await exchange(withFront, requests);
        const node = await exchange(nodeAlone, requests);
        served += front.hot.length;
        if (front.answers.includes('HTTP/1.1 4')) refused += 1;
        const [answers, expected] = told(front.answers, node.answers);
        expect({ ...front, answers }).toEqual({ ...node, answers: expected });
      }),
      { numRuns: 3000 },
    );
    expect(served).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(300);
    expect(withFront.free()).toEqual({ places: 0, bytes: 0 });
  }, 120_000);

  it('answers requests that come one right behind the other as node:http alone does', async () => {
    await fc.assert(
      fc.asyncProperty(pipelined, async (pieces) => {
        expect(await exchange(withFront, [pieces])).toEqual(await exchange(nodeAlone, [pieces]));
      }),
      { numRuns: 500 },
    );
    expect(withFront.free()).toEqual({ places: 0, bytes: 0 });
  }, 60_000);
});
