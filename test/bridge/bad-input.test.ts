import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, OPCODE } from '../../receiver/bridge/websocket-frames.ts';
import type { OjsSource } from '../../receiver/routing/table.ts';
import { bridgeEntry, ojsSource } from '../../receiver/routing/testing.ts';
import { type BridgeStage, setStage } from './stage.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A backend that answers its event stream with these bytes, piece by piece, and stays open; anything else is 404. */
async function backendOf(
  pieces: readonly (string | Buffer)[],
  contentType = 'text/event-stream',
): Promise<string> {
  server = createServer((request, response) => {
    if (request.url !== '/ojs/v1/events/stream') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': contentType });
    for (const piece of pieces) response.write(piece);
    if (!contentType.startsWith('text/event')) response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function apply(stage: BridgeStage, url: string, source: Partial<OjsSource> = { transport: 'SSE' }): void {
  stage.apply(bridgeEntry(url, { sink: stage.sink(), source: ojsSource(url, source) }));
}

const good = (id: string, more = ''): string =>
  `data: {"specversion":"1.0","id":"${id}","type":"job.completed","source":"s","time":"2026-01-01T00:00:00Z"${more}}\n\n`;

describe('what a backend sends wrong', () => {
  it('is counted and passed over, and all that can be read is read', async () => {
    await using stage = await setStage();
    const half = Buffer.concat([
      Buffer.from('data: {"id":"x","type":"a'),
      Buffer.from([0xc3]),
      Buffer.from('"}\n\n'),
    ]);
    const url = await backendOf([
      good('1'),
      'data: {"id":"broken","type":\n\n',
      half,
      'data: {"specversion":"1.0","id":"no-type","source":"s"}\n\n',
      good('2'),
      `data: {"specversion":"1.0","id":"large","type":"a","data":"${'x'.repeat(10 << 20)}"}\n\n`,
      good('3').replace('2026', '1970'),
      good('1', ',"data":{"other":true}'),
      'data: <html><body>502</body></html>\n\n',
      good('4'),
    ]);
    apply(stage, url);
    await stage.until(() => stage.events.length >= 4);
    expect(stage.events.map(({ id }) => id).sort()).toEqual(['1', '2', '3', '4']);
    expect(stage.events.find(({ id }) => id === '3')).toMatchObject({ time: '1970-01-01T00:00:00Z' });
    const { counts, lastBroken, state } = await stage.status();
    expect(state).toBe('Reading');
    expect(counts).toMatchObject({ broken: 5, duplicates: 1, differing: 1, events: 4 });
    expect(lastBroken).toMatch(/no JSON object/);
    const metrics = await (await fetch(`${stage.receiver().addresses.admin}/metrics`)).text();
    expect(metrics).toContain('signalbox_bridge_total{what="broken"} 5');
    expect(metrics).toContain('signalbox_bridges{state="Reading"} 1');
    expect(metrics).toMatch(/\nsignalbox_journal_commit_seconds_count [1-9]/);
    expect(stage.logged.some((line) => line.includes('passed over what it cannot read'))).toBe(true);
  });

  it('is a page of HTML in place of a stream: told, and tried again', async () => {
    await using stage = await setStage();
    apply(stage, await backendOf(['<html>'], 'text/html'));
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/text\/html and no event stream/);
  });

  it('is nothing at all, for it is not there', async () => {
    await using stage = await setStage();
    apply(stage, 'http://127.0.0.1:1');
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/refused/);
  });

  it('is an address that may not be reached', async () => {
    await using stage = await setStage();
    apply(stage, 'http://169.254.169.254');
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/metadata/);
  });

  it('is a redirect, which is not followed', async () => {
    await using stage = await setStage();
    server = createServer((_request, response) => {
      response.writeHead(302, { location: `${stage.backend.url}/ojs/v1/events` }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    apply(stage, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/answered 302/);
  });
});

/** A backend that answers these paths with this JSON, or with a stream of these frames; anything else is 404. */
async function backendSaying(
  answers: Readonly<Record<string, string>>,
  frames?: readonly string[],
): Promise<string> {
  let streams = 0;
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://backend');
    const json = answers[pathname];
    if (json !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(json);
    else if (frames !== undefined && pathname === '/ojs/v1/events/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(frames[streams] ?? ': nothing\n\n');
      // The first one is cut, and what was missed is looked for.
      if (streams++ === 0) response.end();
    } else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const report = (id: string, to: string): string =>
  `{"event":"job.state_changed","job_id":"${id}","to":"${to}","timestamp":"2099-01-01T00:00:00Z"}`;

describe('what a backend names like a member that every object has', () => {
  it('as the state that a job has come to is a change like any other, by SSE', async () => {
    await using stage = await setStage();
    apply(
      stage,
      await backendSaying({}, [`data: ${report('1', 'constructor')}\n\ndata: ${report('2', 'active')}\n\n`]),
    );
    await stage.until(() => stage.events.length >= 2);
    expect(stage.events.map(({ type }) => type).sort()).toEqual([
      'org.openjobspec.job.started',
      'org.openjobspec.job.state_changed',
    ]);
  });

  it('by Poll', async () => {
    await using stage = await setStage();
    const page = `{"events":[${report('1', '__proto__')},${report('2', 'active')}],"cursor":"1","has_more":false}`;
    apply(stage, await backendSaying({ '/ojs/v1/events': page }), { transport: 'Poll' });
    await stage.until(() => stage.events.length >= 2);
    const { counts, state } = await stage.status();
    expect(state).toBe('Reading');
    expect(counts?.broken).toBe(0);
    // It is asked for again, and again.
    await stage.until(async () => ((await stage.status()).counts?.messages ?? 0) > 4);
  });

  it('by WebSocket', async () => {
    await using stage = await setStage();
    const url = await backendSaying({});
    server?.on('upgrade', ({ headers }, socket: Duplex) => {
      const accept = hash(
        'sha1',
        `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
        'base64',
      );
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(encodeFrame(OPCODE.text, Buffer.from('{"type":"subscribed"}')));
        const data = report('1', 'constructor');
        socket.write(encodeFrame(OPCODE.text, Buffer.from(`{"type":"event","data":${data}}`)));
      });
    });
    apply(stage, url, { transport: 'WebSocket' });
    await stage.until(() => stage.events.length >= 1);
    expect(stage.events[0]?.type).toBe('org.openjobspec.job.state_changed');
    expect((await stage.status()).state).toBe('Reading');
  });

  it('as the state of a job in its list', async () => {
    await using stage = await setStage();
    const jobs =
      '{"items":[{"id":"1","state":"constructor","created_at":"2099-01-01T00:00:00Z","started_at":"2099-01-01T00:00:00Z"}],"pagination":{"total":1}}';
    apply(stage, await backendSaying({ '/ojs/v1/admin/jobs': jobs }, []));
    await stage.until(() => stage.events.length >= 1);
    expect((await stage.reading()).lossless).toMatchObject({ status: 'True', reason: 'Reconciled' });
    expect(stage.events.map(({ type }) => type)).toEqual(['org.openjobspec.job.enqueued']);
  });
});

describe('what a backend lists', () => {
  it('with pages that are not described is read without', async () => {
    await using stage = await setStage();
    apply(stage, await backendSaying({ '/ojs/v1/admin/jobs': '{"items":[],"pagination":[]}' }, []));
    expect((await stage.reading()).lossless).toMatchObject({ status: 'True', reason: 'Reconciled' });
  });

  it('may be a queue with half a character in its name, and names that are none', async () => {
    await using stage = await setStage();
    const queues = '["\\ud800",7,"",null,"default"]';
    apply(stage, await backendSaying({ '/ojs/v1/queues': queues }));
    await stage.until(async () => (await stage.status()).state === 'Down');
    expect((await stage.status()).trouble).toMatch(/no queue of the backend has an event stream/);
  });
});

it('an event about half a character is told without it, and its job is not asked for', async () => {
  await using stage = await setStage();
  const event = '{"specversion":"1.0","type":"job.started","id":"e1","subject":"\\ud800"}';
  apply(stage, await backendSaying({}, [`data: ${event}\n\n`]));
  await stage.until(
    async () => stage.events.length >= 1 && ((await stage.status()).counts?.connects ?? 0) >= 2,
  );
  expect(stage.events[0]).not.toHaveProperty('subject');
  expect((await stage.reading()).lossless).toMatchObject({ status: 'False', reason: 'NoReplay' });
});
