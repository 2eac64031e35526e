import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { createClient } from '../../receiver/deliver/client.ts';
import { createEngine } from '../../receiver/deliver/engine.ts';
import type { Route } from '../../receiver/deliver/engine-contract.ts';
import { systemTimer } from '../../receiver/deliver/outbound.ts';
import { createMemoryLog, NO_TASKS, plainRenderer, someEvent } from '../../receiver/deliver/testing.ts';
import { POLICY } from '../../receiver/routing/testing.ts';

/*
 * Deliveries per CPU-second of the delivery engine, against a local sink in a process of its own. The journal is left
 * out (its calls do nothing). Three layers in one run, so that their differences mean something on any machine:
 * undici alone, the outbound client, the engine.
 */

const COUNT = Number(process.argv[2] ?? 20_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const CONCURRENCY = 32;

if (process.env['BENCH_SINK'] === '1') await serve();
else await measure();

async function serve(): Promise<void> {
  const server = createServer((request, response) => {
    request.on('data', () => {});
    request.once('end', () => {
      response.writeHead(202, { 'content-length': 0 });
      response.end();
    });
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.once('disconnect', () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

async function measure(): Promise<void> {
  const sink = fork(import.meta.filename, { env: { ...process.env, BENCH_SINK: '1' } });
  const [port] = (await once(sink, 'message')) as [number];
  const url = `http://127.0.0.1:${port}/in`;
  const layers: Record<string, (count: number) => Promise<void>> = {
    undici: alone(url),
    client: outbound(url),
    engine: whole(url),
  };
  const figures = new Map<string, number[]>(Object.keys(layers).map((name) => [name, []]));
  for (const run of Object.values(layers)) await run(Math.min(COUNT, 5000));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(layers)) {
      const before = process.cpuUsage();
      await run(COUNT);
      const { user, system } = process.cpuUsage(before);
      figures.get(name)?.push((user + system) / COUNT);
    }
  }
  sink.kill();
  const median = (name: string): number =>
    figures.get(name)?.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  for (const name of Object.keys(layers)) {
    const us = median(name);
    const ratio = (median('undici') / us).toFixed(2);
    console.log(
      `${name.padEnd(8)} ${us.toFixed(1)} µs CPU each, ${Math.round(1e6 / us)} per CPU-second, ${ratio} of undici alone`,
    );
  }
  process.exit();
}

/** Sends `count` through `send`, `CONCURRENCY` at a time. */
function paced(count: number, send: (i: number, done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let over = 0;
    const next = (): void => {
      if (sent < count) send(sent++, ended);
    };
    const ended = (): void => {
      over += 1;
      if (over === count) resolve();
      else next();
    };
    for (let i = 0; i < CONCURRENCY; i++) next();
  });
}

const CONTEXT = { idempotencyKey: 'k'.repeat(32), receivedAt: 0 };

function alone(url: string): (count: number) => Promise<void> {
  const pool = new Pool(new URL(url).origin, { connections: 64, allowH2: false });
  const { body } = plainRenderer.render(someEvent('1'), CONTEXT);
  const headers = Object.entries(plainRenderer.render(someEvent('1'), CONTEXT).headers).flat();
  return (count) =>
    paced(count, (_i, done) => {
      const handler = {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: done,
        onResponseError: fail,
      };
      pool.dispatch({ method: 'POST', path: '/in', headers, body }, handler);
    });
}

function outbound(url: string): (count: number) => Promise<void> {
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const destination = { kind: 'sink', url, headers: [] } as const;
  return (count) =>
    paced(count, (i, done) => {
      const rendered = plainRenderer.render(someEvent(String(i)), CONTEXT);
      client.post({ destination, ...rendered, timeoutMs: 30_000 }, (answer) =>
        answer === undefined ? fail() : done(),
      );
    });
}

function whole(url: string): (count: number) => Promise<void> {
  const route: Route = {
    suspend: false,
    destination: { kind: 'sink', url, headers: [] },
    policy: { ...POLICY, concurrency: CONCURRENCY },
  };
  let left = 0;
  let over: (() => void) | undefined;
  const engine = createEngine({
    tasks: NO_TASKS,
    journal: {
      settle: ({ state }) => {
        if (state !== 'delivered') fail();
        left -= 1;
        if (left === 0) over?.();
        else if (left % 64 === 0) hand();
      },
      claim: async () => [],
      nextDue: async () => undefined,
      release: async () => 0,
      flush: async () => {},
    },
    routes: { route: () => route, renderer: () => plainRenderer },
    client: createClient({ egress: { allowLoopback: true }, setTimer: systemTimer }),
    deadLetterRenderer: plainRenderer,
    view: () => null,
    now: Date.now,
    random: Math.random,
    setTimer: systemTimer,
    observer: { attempted() {}, tried() {}, ended() {}, dead() {} },
    log: createMemoryLog(),
  });
  let unhanded = 0;

  /** Batches of 64, as commits bring them. */
  function hand(): void {
    const some = Math.min(unhanded, 64);
    unhanded -= some;
    const now = Date.now();
    const entrance = 'WebhookSecret/shop/hooks';
    engine.hand(
      Array.from({ length: some }, (_, i) => ({
        id: i,
        trigger: 'shop/orders',
        shape: 's',
        event: someEvent(String(unhanded + i)),
        entrance,
        receivedAt: now,
        attempts: 0,
      })),
    );
  }

  return (count) =>
    new Promise((resolve) => {
      left = count;
      unhanded = count;
      over = resolve;
      hand();
      hand();
    });
}

function fail(): never {
  throw new Error('a delivery of the benchmark failed');
}
