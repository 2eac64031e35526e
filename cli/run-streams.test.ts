import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Listener } from '../receiver/http/listener.ts';
import { type Arrival, openTarget } from './listen/target.ts';
import { main } from './main.ts';
import { type Inbox, inbox } from './testing/inbox.ts';
import { type Launched, launch } from './testing/launch.ts';
import { fakeTerminal } from './testing/terminal.ts';

const ANY_PORTS = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
const PATIENCE = 120_000;

let target: Listener;
let arrivals: Inbox<Arrival>;
let folder: string;
let run: Launched;
let url: string;
let admin: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-streams-'));
  arrivals = inbox();
  target = await openTarget({
    address: { host: '127.0.0.1', port: 0 },
    fail: 0,
    arrived: arrivals.add,
    now: () => new Date(),
    id: randomUUID,
  });
});

afterEach(async () => {
  await run.stop();
  await target.close(0);
  await rm(folder, { recursive: true });
});

/** Runs an example, its targets moved to the one here. */
async function runExample(name: string): Promise<void> {
  const text = await readFile(join(import.meta.dirname, '../examples', name), 'utf8');
  file = join(folder, name);
  await writeFile(file, text.replaceAll(/http:\/\/127\.0\.0\.1:(9900|8585)/g, target.url));
  await start();
}

async function start(): Promise<void> {
  run = launch(['run', '-f', file, '--data', join(folder, 'data'), ...ANY_PORTS]);
  url = /(http:\S+)\/e\//.exec(await run.line(/\/e\//))?.[1] ?? '';
  admin = /http:\S+/.exec(await run.line(/^ {2}admin /))?.[0] ?? '';
  await run.line(/^Ready/);
}

async function command(...args: string[]): Promise<string> {
  const terminal = fakeTerminal();
  const exit = await main(args, terminal);
  const told = [...terminal.outLines, ...terminal.errLines].join('\n');
  if (exit !== 0) throw new Error(told);
  return told;
}

function asks(...args: string[]): Promise<string> {
  return command(...args, '--admin', admin, '--data', join(folder, 'data'));
}

async function send(...args: string[]): Promise<{ readonly instances: readonly string[] }> {
  const told = await command('send', '-f', file, '--url', url, '-o', 'json', ...args);
  const { answer } = JSON.parse(told) as { answer: { events: readonly { instances: readonly string[] }[] } };
  return answer.events[0] ?? { instances: [] };
}

function arrival(path: string): Promise<Arrival> {
  return arrivals.next((one) => one.path === path);
}

describe('value streams under `signalbox run`', { timeout: PATIENCE }, () => {
  it('the Emporix example waits for its payment, over a restart, and ships', async () => {
    await runExample('emporix-value-stream.yaml');
    const { instances } = await send('--type', 'order.created', '--id', '1', '--data', '{"order":"A-1"}');
    const [id = ''] = instances;
    expect((await arrival('/reserve')).event?.attributes).toMatchObject({ id: '1', instanceid: id });
    await expect.poll(() => asks('instances'), { timeout: PATIENCE }).toContain('payment.captured');
    const row = (await asks('instances')).split('\n').find((line) => line.includes(id)) ?? '';
    expect(row.trim().split(/ {2,}/).slice(1, 5)).toEqual([
      'shop/order-fulfilment',
      'Waiting',
      'ship',
      'payment.captured',
    ]);
    expect(await asks('instance', id)).toMatch(
      /Waits at the step ship for payment\.captured since .*, until /,
    );

    await run.stop();
    await start();
    await send(
      '--type',
      'payment.captured',
      '--id',
      '2',
      '--attribute',
      `instanceid=${id}`,
      '--data',
      '{"amount":5}',
    );
    expect((await arrival('/ship')).event?.attributes).toMatchObject({ id: '2', instanceid: id });
    await expect.poll(() => asks('instance', id), { timeout: PATIENCE }).toContain('Finished since');
    const history = await asks('instance', id);
    expect(history).toContain('started by order.created (1 of ');
    expect(history).toContain('the step reserve was answered: 202');
    expect(history).toContain('the step ship was woken by payment.captured (2 of ');
  });

  it('start or wake: two events of one order, however early, charge it once with both', async () => {
    await runExample('start-or-wake.yaml');
    const stock = await send(
      '--type',
      'stock.reserved',
      '--id',
      '1',
      '--data',
      '{"orderId":"O-7","warehouse":"W3"}',
    );
    expect(stock.instances).toEqual([]);
    expect(await asks('explain', '1')).toMatch(
      /^Taken by shop\/order-saga\.\nshop\/order-saga holds it for the key O-7, which no instance has yet, until \d/m,
    );
    const { instances } = await send('--type', 'order.updated', '--id', '2', '--data', '{"orderId":"O-7"}');
    const [id = ''] = instances;
    expect(await asks('explain', '1')).toContain(`\nIt came to the instance ${id}.\n`);
    const reserve = await arrivals.next(({ job }) => job?.type === 'stock.reserve');
    expect(reserve.job).toMatchObject({ args: ['O-7'], meta: { instance_id: id } });
    expect(
      (await send('--type', 'order.approved', '--id', '3', '--data', '{"orderId":"O-7"}')).instances,
    ).toEqual([id]);
    const charge = await arrivals.next(({ job }) => job?.type === 'payment.charge');
    expect(charge.job).toMatchObject({ args: ['O-7', 'W3'], meta: { instance_id: id } });
    await expect.poll(() => asks('instances', '--state', 'Finished'), { timeout: PATIENCE }).toContain('O-7');
  });
});
