import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
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

function apply(stage: BridgeStage, url: string): void {
  stage.apply(bridgeEntry(url, { sink: stage.sink(), source: ojsSource(url, { transport: 'SSE' }) }));
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
