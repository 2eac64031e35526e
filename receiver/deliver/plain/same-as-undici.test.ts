import { createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { buildConnector, Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cut, mostlyOf } from '../../../test/odd-bytes.ts';
import { Exchange } from '../exchange.ts';
import { HTTP1 } from '../http1.ts';
import type { Answer, Failure } from '../outbound.ts';
import { createRoster } from '../roster.ts';
import { createPlainPool } from './pool.ts';
import type { PlainRequest } from './request-text.ts';

/** What the target does with one request. */
interface Script {
  /** Sent each on its own. */
  readonly pieces: readonly Buffer[];
  /** What it does with the connection then. */
  readonly after: 'stay' | 'end' | 'reset';
}

interface Told {
  readonly answer: Answer | undefined;
  readonly failure: Failure | undefined;
}

let origin: URL;
let scripts: Script[] = [];
let seen: string[] = [];
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  let text = '';
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)\r\n/.exec(text)?.[1]);
    if (head < 0 || text.length < head + 4 + length) return;
    seen.push(text);
    text = '';
    void play(socket, scripts.shift() ?? { pieces: [], after: 'reset' });
  });
});

async function play(socket: Socket, { pieces, after }: Script): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (after === 'end') socket.end();
  else if (after === 'reset') socket.resetAndDestroy();
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const connect = buildConnector({ allowH2: false, timeout: 10_000 });

type Dispatch = (request: PlainRequest, exchange: Exchange) => void;

/** Makes requests one after the other; tells what came of each, and what the target saw. */
async function run(requests: readonly PlainRequest[], answers: readonly Script[], dispatch: Dispatch) {
  scripts = [...answers];
  seen = [];
  const told: Told[] = [];
  for (const request of requests) {
    told.push(
      await new Promise<Told>((resolve) => {
        const underWay = createRoster<never>();
        // As the client does: handed on in an immediate that comes after those that free the connection.
        const afterRelease = (exchange: Exchange) =>
          queueMicrotask(() => setImmediate(() => exchange.finish()));
        const owner = { maxAnswerBytes: 1 << 20, underWay, afterRelease };
        dispatch(request, new Exchange(owner, 0, (answer, failure) => resolve({ answer, failure })));
      }),
    );
  }
  return {
    told: told.map(({ answer, failure }) =>
      answer === undefined ? failure?.code : { ...answer, body: answer.body.toString('latin1') },
    ),
    seen,
  };
}

async function withUndici(requests: readonly PlainRequest[], answers: readonly Script[]) {
  const pool = new Pool(origin, { ...HTTP1, connect });
  const came = await run(requests, answers, (request, exchange) => void pool.dispatch(request, exchange));
  await pool.destroy();
  return came;
}

async function withPlain(requests: readonly PlainRequest[], answers: readonly Script[]) {
  const pool = new Pool(origin, { ...HTTP1, connect });
  const options = { origin, connect, connections: 8, tick: () => 0, tickMs: 50 };
  const plain = createPlainPool(options);
  let plainOnes = 0;
  const came = await run(requests, answers, (request, exchange) => {
    if (plain.dispatch(request, exchange)) plainOnes++;
    else pool.dispatch(request, exchange);
  });
  plain.close();
  await pool.destroy();
  return { ...came, plainOnes };
}

const mostly = mostlyOf(40);
const cuts = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(fc.nat(), { maxLength: 3 }));
const value = fc.oneof(
  { weight: 30, arbitrary: fc.stringMatching(/^[a-z0-9 ,;="]{0,12}$/) },
  fc.constantFrom('', ' ', '\t', '  x \t', 'a\tb', 'a\x80b', 'é', '\0', 'a\rb', '\x7f', 'a\r\n b'),
);
const name = fc.oneof(
  { weight: 30, arbitrary: fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/) },
  fc.constantFrom('X-A', 'x-a', 'Set-Cookie', 'Retry-After', 'Date', "!#$%&'*+-.^_`|~9", 'toString'),
  fc.constantFrom('', 'a b', 'ä', ' x', 'x ', '__proto__', 'constructor', 'Trailer', 'TE', 'Expect'),
);
const header = fc
  .tuple(name, mostly(': ', ':', ':\t', ' : ', ''), value, mostly('\r\n', '\n', '\r', ' \r\n'))
  .map((parts) => parts.join(''));
const connection = mostly(
  '',
  'Connection: keep-alive\r\n',
  'connection: Close\r\n',
  'Connection: keep-alive, x\r\n',
  'Connection: upgrade\r\nUpgrade: x\r\n',
  'Keep-Alive: timeout=5\r\n',
  'Keep-Alive: timeout=1\r\n',
  'Keep-Alive: max=5, timeout=5\r\n',
);

interface Framed {
  readonly headers: string;
  readonly body: string;
  readonly whole: boolean;
}

const framed: fc.Arbitrary<Framed> = fc.string({ maxLength: 40 }).chain((text) => {
  const body = Buffer.from(text).toString('latin1');
  const length = String(body.length);
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  const as = (headers: string, sent: string, whole = true): Framed => ({ headers, body: sent, whole });
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(as(`Content-Length: ${length}\r\n`, body)) },
    { weight: 12, arbitrary: fc.constant(as('Transfer-Encoding: chunked\r\n', `${chunks}0\r\n\r\n`)) },
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        as('', body, false),
        as(`Content-Length: ${length}\r\nContent-Length: ${length}\r\n`, body, false),
        as(`Content-Length: +${length}\r\n`, body, false),
        as(`Content-Length: 0${length}\r\n`, body, false),
        as(`Content-Length: ${length}, ${length}\r\n`, body, false),
        as(`Content-Length: 99999999999999999999\r\n`, body, false),
        as(`Content-Length: ${body.length + 1}\r\n`, body, false),
        as(`Content-Length: ${length}\r\n`, `${body}HTTP/1.1 200 OK\r\n`, false),
        as(`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`, `${chunks}0\r\n\r\n`, false),
        as('Transfer-Encoding: gzip\r\n', body, false),
        as('Transfer-Encoding: Chunked\r\n', `${chunks}0\r\n\r\n`),
        as('Transfer-Encoding: chunked\r\n', `${chunks}${chunks}0\r\nX: y\r\n\r\n`),
        as('Transfer-Encoding: chunked\r\n', `${chunks}0;a=b\r\n\r\n`),
        as('Transfer-Encoding: chunked\r\n', `${chunks}0\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `${chunks}0 \r\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `${chunks}0x0\r\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `${chunks}-1\r\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `0000${chunks}00\r\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `${chunks}FFFFFFFFF\r\n\r\n`, false),
        as('Transfer-Encoding: chunked\r\n', `${chunks}0\r\n\r\nHTTP/1.1 200`, false),
      ),
    },
  );
});
const version = mostly(
  'HTTP/1.1 ',
  'HTTP/1.0 ',
  'http/1.1 ',
  'HTTP/2.0 ',
  'HTTP/1.1',
  'SSH-2.0 ',
  'HTTP/1.1  ',
);
const status = mostly(
  '200 OK',
  '202',
  '202 ',
  '204 No Content',
  '304 x',
  '404 ä',
  '500 \t',
  '99',
  '100 C',
  '700 x',
);

const answer = fc
  .tuple(
    mostly('', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', '\r\n'),
    version,
    status,
    mostly('\r\n', '\n'),
    fc.array(header, { maxLength: 4 }),
    connection,
    framed,
    mostly('\r\n', '\n', ''),
  )
  .map(([before, version, status, line, headers, connection, { headers: framing, body }, empty]) =>
    [before, version, status, line, ...headers, connection, framing, empty, body].join(''),
  );

const script: fc.Arbitrary<Script> = fc
  .tuple(
    answer,
    cuts,
    fc.oneof(
      { weight: 12, arbitrary: fc.constant(undefined) },
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })),
    ),
    fc.constantFrom('end', 'end', 'reset'),
  )
  .map(([text, cuts, change, after]) => {
    const bytes = Buffer.from(text, 'latin1');
    if (change !== undefined) bytes[change[0] % bytes.length] = change[1];
    return { pieces: cut(bytes, cuts), after };
  });

/** Answers that hold, on a connection that stays. */
const staying: fc.Arbitrary<Script> = fc
  .tuple(
    fc.constantFrom('200 OK', '202 Accepted', '404 x', '503 x'),
    fc.array(fc.stringMatching(/^X-[a-z]{1,6}: [a-z]{0,6}\r\n$/), { maxLength: 3 }),
    fc.constantFrom(
      '',
      '',
      'Connection: keep-alive\r\n',
      'Connection: close\r\n',
      'Keep-Alive: timeout=5\r\n',
    ),
    framed.filter(({ whole }) => whole),
    cuts,
  )
  .map(([status, headers, connection, { headers: framing, body }, cuts]) => {
    const text = [`HTTP/1.1 ${status}\r\n`, ...headers, connection, framing, '\r\n', body].join('');
    return { pieces: cut(Buffer.from(text, 'latin1'), cuts), after: 'stay' as const };
  });

const request: fc.Arbitrary<PlainRequest> = fc
  .tuple(
    mostly('/in', '/', '/in?a=b%20c', '/ä', '/a b', '', 'x', '/\x80'),
    fc.array(
      fc.tuple(
        fc.oneof({ weight: 6, arbitrary: fc.constantFrom('ce-id', 'Content-Type', 'x-a') }, name),
        value,
      ),
      {
        maxLength: 4,
      },
    ),
    mostly(
      '',
      'connection',
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Keep-Alive',
      'Expect',
      'Upgrade',
    ),
    fc.oneof(fc.string({ maxLength: 30 }), fc.constant('x'.repeat(20_000))),
  )
  .map(([path, pairs, framing, body]) => ({
    method: 'POST' as const,
    path,
    headers: [...pairs.flat(), ...(framing === '' ? [] : [framing, '3'])],
    body: Buffer.from(body),
  }));

const RUNS = 300;

const SIMPLE: PlainRequest = {
  method: 'POST',
  path: '/in',
  headers: ['ce-id', '1'],
  body: Buffer.from('{}'),
};
const TAKEN: Script = { pieces: [Buffer.from('HTTP/1.1 202 x\r\ncontent-length: 0\r\n\r\n')], after: 'stay' };

/** Both tell the same, and the target saw the same; answers how many requests went the plain way. */
async function expectSame(requests: readonly PlainRequest[], answers: readonly Script[]): Promise<number> {
  const alone = await withUndici(requests, answers);
  const { plainOnes, ...own } = await withPlain(requests, answers);
  expect(own).toEqual(alone);
  return plainOnes;
}

/** The same of single requests and answers of any kind, some of which must have been plain. */
async function expectSameOf<T>(
  kind: fc.Arbitrary<T>,
  numRuns: number,
  exchanged: (one: T) => readonly [PlainRequest, Script],
): Promise<void> {
  let plain = 0;
  const property = fc.asyncProperty(kind, async (one) => {
    const [request, answer] = exchanged(one);
    plain += await expectSame([request], [answer]);
  });
  await fc.assert(property, { numRuns });
  expect(plain).toBeGreaterThan(0);
}

describe('plain connections', () => {
  it('tell the same of every answer as undici alone, whatever comes, in whichever pieces', async () => {
    await expectSameOf(script, 3 * RUNS, (one) => [SIMPLE, one]);
  });

  it('and of many answers on connections that stay', async () => {
    const property = fc.asyncProperty(fc.array(staying, { minLength: 2, maxLength: 6 }), async (all) => {
      const requests = all.map(() => SIMPLE);
      expect(await expectSame(requests, all)).toBeGreaterThan(0);
    });
    await fc.assert(property, { numRuns: RUNS / 4 });
  });

  it('send the same bytes, and refuse what undici refuses', async () => {
    await expectSameOf(request, RUNS, (one) => [one, TAKEN]);
  });
});
