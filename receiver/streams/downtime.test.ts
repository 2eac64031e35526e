import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMemoryLog } from '../deliver/testing.ts';
import { createReceiver, type Receiver } from '../receiver.ts';
import { endpointEntry, POLICY, triggerEntry } from '../routing/testing.ts';
import { post, signature } from '../testing.ts';
import { streamOf } from './testing.ts';

const HOUR = 3_600_000;
const T = 1_800_000_000_000;
const FREE = { host: '127.0.0.1', port: 0 };

it('a timer that was due while nobody ran fires once, and not again after the next restart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'downtime-'));
  const got: string[] = [];
  let came: (() => void) | undefined;
  const target = createServer((request, response) => {
    response.writeHead(202).end();
    got.push(String(request.headers['ce-id']));
    came?.();
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
  const destination = { kind: 'sink', url, headers: [] } as const;
  const shape = { sink: { format: 'binary' } } as const;
  const later = { name: 'later', wait: { sleepMs: HOUR }, shape, destination, policy: POLICY };

  async function runAt(now: number, sleeps: readonly object[], work: (receiver: Receiver) => Promise<void>) {
    const receiver = await createReceiver({
      dataDirectory: directory,
      public: FREE,
      cluster: FREE,
      admin: FREE,
      adminToken: 't',
      egress: { allowLoopback: true },
      log: createMemoryLog(),
      now: () => now,
      random: Math.random,
    });
    const stream = { ...streamOf([]), steps: [{ ...later, ...sleeps[0] }] };
    receiver.apply({
      version: 1,
      revision: 1,
      entries: [endpointEntry(), triggerEntry({ name: 'saga', stream })],
    });
    await work(receiver);
    await receiver.close();
  }

  async function start(receiver: Receiver, id: string): Promise<void> {
    const body = JSON.stringify({ specversion: '1.0', id, source: '/s', type: 'created' });
    const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
    expect((await post(`${receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
  }

  async function arrivals(count: number): Promise<void> {
    while (got.length < count)
      await new Promise<void>((resolve) => {
        came = resolve;
      });
  }

  await runAt(T, [], (receiver) => start(receiver, 'slept'));
  expect(got).toEqual([]);
  await runAt(T + 2 * HOUR, [], () => arrivals(1));
  // Who comes after it is served, so that it would have come again by then.
  await runAt(T + 4 * HOUR, [{ wait: { sleepMs: 1 } }], async (receiver) => {
    await start(receiver, 'next');
  });
  await runAt(T + 5 * HOUR, [], () => arrivals(2));
  expect(got).toEqual(['slept', 'next']);
  target.closeAllConnections();
  target.close();
  await rm(directory, { recursive: true });
});
