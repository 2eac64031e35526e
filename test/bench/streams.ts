/*
 * What value streams cost. `npm run bench:streams` runs each part in a process of its own on one core and prints the
 * table of docs/performance.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import type { HeldDelivery } from '../../receiver/deliver/engine-contract.ts';
import { createMemoryLog } from '../../receiver/deliver/testing.ts';
import type { CloudEvent } from '../../receiver/event/event.ts';
import type { Journal, RowWrite, Unit } from '../../receiver/journal/journal.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';
import { createReceiver } from '../../receiver/receiver.ts';
import { createRenderers } from '../../receiver/routing/renderers.ts';
import { endpointEntry } from '../../receiver/routing/testing.ts';
import { runtimeOf, sagaEntry } from '../../receiver/streams/journal-harness.ts';
import { keep } from '../../receiver/streams/kept.ts';
import { boundKeyRow, instanceRow, keyId, streamId } from '../../receiver/streams/rows.ts';
import { createStreams, type Streams } from '../../receiver/streams/streams.ts';
import { compiledStream, ENTRANCE, eventOf, stepOf, streamOf } from '../../receiver/streams/testing.ts';
import { transition } from '../../receiver/streams/transition.ts';
import { signature } from '../../receiver/testing.ts';
import { median, percentile } from './percentile.ts';
import { residentMegabytes } from './process-cost.ts';

const SHAPE = streamOf(
  [
    stepOf('ship', {
      wait: { filters: [{ exact: { type: 'paid' } }], correlate: 'data.order', timeoutMs: 1e9 },
    }),
  ],
  { onStart: 'StartOrWake', correlate: 'data.order' },
);
const STREAM = compiledStream(SHAPE);
const ENTRY = sagaEntry(SHAPE, { suspend: true });
const RUNTIME = runtimeOf(ENTRY);
const TRIGGER = 'shop/saga';
const HASH = RUNTIME.trigger(TRIGGER)?.stream?.hash ?? '';

function orderEvent(type: string, order: string): CloudEvent {
  return eventOf({ type, id: `${type}-${order}`, source: '/orders' }, { order, note: 'x'.repeat(200) });
}

function commit(journal: Journal, units: readonly Unit[]): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.commit(units, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Writes instances that sleep, as starting them would; their time-outs are due at `until`. */
async function fill(journal: Journal, count: number, until: number): Promise<void> {
  const text = RUNTIME.trigger(TRIGGER)?.stream?.text ?? '';
  const at = until - 1e9;
  const kept = {
    kind: 'stream',
    id: streamId(TRIGGER, HASH),
    expect: 0,
    at,
    owner: TRIGGER,
    status: 'Kept',
    body: text,
  };
  await commit(journal, [{ deliveries: [], answer: '', rows: [kept] }]);
  let waits: Promise<void>[] = [];
  for (let from = 0; from < count; from += 500) {
    const units = Array.from({ length: Math.min(500, count - from) }, (_, i): Unit => {
      const order = `o${from + i}`;
      const event = keep(orderEvent('start', order), ENTRANCE);
      const { instance } = transition(
        STREAM,
        undefined,
        {
          kind: 'start',
          id: `i${from + i}`,
          trigger: TRIGGER,
          stream: HASH,
          key: order,
          arrived: { at, by: 'rule', event },
          held: [],
        },
        at,
      );
      const rows: RowWrite[] = [
        { ...instanceRow(STREAM, instance, at), expect: 0 },
        { ...boundKeyRow(keyId(TRIGGER, order), instance, 1e9, at), expect: 0 },
      ];
      return { deliveries: [], answer: '', rows };
    });
    waits.push(commit(journal, units));
    if (waits.length >= 8) {
      await Promise.all(waits);
      waits = [];
    }
  }
  await Promise.all(waits);
}

interface Running {
  readonly streams: Streams;
  readonly handed: HeldDelivery[];
}

function running(journal: Journal): Running {
  const handed: HeldDelivery[] = [];
  const streams = createStreams({
    journal,
    engine: () => ({ room: () => true, hand: (all) => void handed.push(...all), due: () => undefined }),
    backlog: { added: () => undefined },
    observer: { queued: () => undefined, committed: () => undefined },
    brought: () => undefined,
    renderers: createRenderers(journal, 10),
    runtime: () => RUNTIME,
    due: () => undefined,
    now: Date.now,
    log: createMemoryLog(),
  });
  return { streams, handed };
}

async function accept({ streams }: Running, event: CloudEvent): Promise<void> {
  const asked = streams.asked(event, ENTRANCE);
  const dedup = { enabled: true, windowMs: 86_400_000 };
  const arrival = { entrance: ENTRANCE, dedup, key: 'current', revision: 1, now: Date.now() };
  await streams.write([{ event, triggers: [], asked }], arrival, true);
}

/** Does work `count` times, 64 at once; CPU-seconds of the process, its threads included, and seconds. */
async function measured(
  count: number,
  work: (i: number) => Promise<void>,
): Promise<{ cpu: number; seconds: number }> {
  const began = process.hrtime.bigint();
  const before = process.cpuUsage();
  let next = 0;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next < count) await work(next++);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, seconds: Number(process.hrtime.bigint() - began) / 1e9 };
}

const WAKES = 1000;
const ROUND = 100;
/** With fewer, compiling goes on while it is measured, and hides what pages cost. */
const WARM = 12_000;

/** `fill DIR COUNT UNTIL`: in a process of its own, so that nothing of it is left in memory. */
async function fillPart([directory = '', count = '', until = '']: readonly string[]): Promise<void> {
  const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
  await fill(journal, Number(count), Number(until));
  await journal.close();
}

/** `memory DIR`: of a process that has opened so many sleeping instances. */
async function memoryPart([directory = '']: readonly string[]): Promise<void> {
  const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
  const one = running(journal);
  one.streams.routesChanged();
  await journal.nextRowDue('instance');
  await one.streams.drain();
  tell({ memory: residentMegabytes(process.pid) });
  await journal.close();
}

/** `wake DIR COUNT DIR COUNT`: what waking costs over few and over many, by turns in one process. */
async function wakePart([
  few = '',
  fewCount = '',
  many = '',
  manyCount = '',
]: readonly string[]): Promise<void> {
  const sides = await Promise.all(
    [
      { directory: few, apart: Math.floor(Number(fewCount) / WAKES) },
      { directory: many, apart: Math.floor(Number(manyCount) / WAKES) },
    ].map(async ({ directory, apart }) => {
      const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
      return { journal, apart, one: running(journal), costs: [] as number[] };
    }),
  );
  // Others start and wake first, so that all is as warm.
  for (const { one } of sides)
    await measured(WARM, async (i) => {
      await accept(one, orderEvent('start', `w${i}`));
      await accept(one, orderEvent('paid', `w${i}`));
    });
  for (let round = 0; round < WAKES / ROUND; round++) {
    for (const { one, apart, costs } of sides) {
      const first = round * ROUND;
      const { cpu } = await measured(ROUND, (i) =>
        accept(one, orderEvent('paid', `o${(first + i) * apart}`)),
      );
      costs.push((cpu / ROUND) * 1e6);
    }
  }
  const [fewUs = Number.NaN, manyUs = Number.NaN] = sides.map(({ costs }) => median(costs));
  tell({ fewUs, manyUs });
  for (const { journal } of sides) await journal.close();
}

/** `transitions DIR`: from the start of an instance to its end, which are three transitions: start, wake, answer. */
async function transitionsPart([directory = '']: readonly string[]): Promise<void> {
  const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
  const one = running(journal);
  const life = async (order: string): Promise<void> => {
    await accept(one, orderEvent('start', order));
    await accept(one, orderEvent('paid', order));
    for (const delivery of one.handed.splice(0)) {
      const attempt = { at: Date.now(), durationMs: 1, status: 202 };
      one.streams.settle(delivery, { delivery: delivery.id, state: 'delivered', attempt }, undefined);
    }
  };
  await measured(2000, (i) => life(`w${i}`));
  const { cpu, seconds } = await measured(20_000, (i) => life(`o${i}`));
  await one.streams.drain();
  tell({ perCpuSecond: 60_000 / cpu, perSecond: 60_000 / seconds });
  await journal.close();
}

const LOAD_PER_S = 200;

/** `timers DIR`: a whole receiver, in which everything is due once it is told so by its standard input. */
async function timersPart([directory = '']: readonly string[]): Promise<void> {
  const address = { host: '127.0.0.1', port: 0 };
  let skew = -2e9;
  const receiver = await createReceiver({
    dataDirectory: directory,
    public: address,
    cluster: address,
    admin: address,
    adminToken: 't',
    egress: { allowLoopback: true },
    log: createMemoryLog(),
    now: () => Date.now() + skew,
    random: Math.random,
  });
  receiver.apply({ version: 1, revision: 1, entries: [endpointEntry(), ENTRY] });
  process.stdout.write(`${receiver.addresses.public} ${receiver.addresses.admin}\n`);
  process.stdin.on('data', () => {
    skew = 2e9;
  });
  await once(process.stdin, 'end');
  await receiver.close();
}

/** Ingest of a receiver on one core, before and while it fires what is due; the load comes from another. */
async function timers(directory: string, count: number): Promise<Record<string, number>> {
  const child = spawn('taskset', ['-c', '0', process.execPath, import.meta.filename, 'timers', directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [url = '', admin = ''] = line.toString().trim().split(' ');
  const left = async (): Promise<number> => {
    const { body } = await request(`${admin}/api/instance-counts`, {
      headers: { authorization: 'Bearer t' },
    });
    const { items } = (await body.json()) as { items: readonly { status: string; count: number }[] };
    return items.find(({ status }) => status === 'Waiting')?.count ?? 0;
  };
  await loaded(url, 'w', () => pause(2000));
  const before = await loaded(url, 'b', () => pause(5000));
  const began = Date.now();
  child.stdin.write('go');
  const during = await loaded(url, 'd', async () => {
    while ((await left()) > 0) await pause(500);
  });
  const seconds = (Date.now() - began) / 1000;
  child.stdin.end();
  await once(child, 'close');
  return { before, during, perSecond: count / seconds };
}

/** The p99 of an open loop of plain events that nobody takes, while something goes on. */
async function loaded(url: string, run: string, meanwhile: () => Promise<void>): Promise<number> {
  const latencies: number[] = [];
  const sent: Promise<unknown>[] = [];
  const body = '{"n":1}';
  const began = performance.now();
  const timer = setInterval(() => {
    while (sent.length < ((performance.now() - began) / 1000) * LOAD_PER_S) {
      const due = began + (sent.length / LOAD_PER_S) * 1000;
      const headers = {
        'ce-specversion': '1.0',
        'ce-type': 'plain',
        'ce-source': '/load',
        'ce-id': `${run}${sent.length}`,
        'content-type': 'application/json',
        ...signature(body),
      };
      sent.push(
        one(`${url}/e/shop.hooks`, headers, body).then(() => latencies.push(performance.now() - due)),
      );
    }
  }, 2);
  await meanwhile();
  clearInterval(timer);
  await Promise.all(sent);
  return percentile(Float64Array.from(latencies).sort(), 0.99);
}

async function one(url: string, headers: Record<string, string>, body: string): Promise<void> {
  const answer = await request(url, { method: 'POST', headers, body });
  await answer.body.dump();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function tell(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Runs a part in a process of its own, on one core; the load is on the other. */
async function part(name: string, ...args: readonly (string | number)[]): Promise<Record<string, number>> {
  const file = import.meta.filename;
  const core = name === 'fire' ? '1' : '0';
  const child = spawn('taskset', ['-c', core, process.execPath, file, name, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return out === '' ? {} : (JSON.parse(out) as Record<string, number>);
}

/** `fire DIR`: fills it and lets all of it fire. */
async function firePart([directory = '']: readonly string[]): Promise<void> {
  await part('fill', directory, TIMERS, Date.now() - 1e9);
  tell(await timers(directory, TIMERS));
}

const FEW = 1000;
const MANY = 1_000_000;
const TIMERS = 100_000;

async function all(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const in5y = Date.now() + 1.5e11;
  const [few, many, due] = ['few', 'many', 'due'].map((name) => join(root, name));
  await part('fill', few ?? '', FEW, in5y);
  await part('fill', many ?? '', MANY, in5y);
  const lean = await part('memory', few ?? '');
  const full = await part('memory', many ?? '');
  const woken = await part('wake', few ?? '', FEW, many ?? '', MANY);
  const transitions = await part('transitions', join(root, 'transitions'));
  const fired = await part('fire', due ?? '');
  await rm(root, { recursive: true });
  const of = (one: Record<string, number>, name: string): number => one[name] ?? Number.NaN;
  process.stdout.write(
    [
      '| | |',
      '|---|---|',
      `| memory over 1,000 / 1,000,000 sleeping instances | ${of(lean, 'memory').toFixed(0)} / ${of(full, 'memory').toFixed(0)} MB |`,
      `| CPU of a wake-up, of 1,000 / 1,000,000 | ${of(woken, 'fewUs').toFixed(0)} / ${of(woken, 'manyUs').toFixed(0)} µs (${(of(woken, 'manyUs') / of(woken, 'fewUs')).toFixed(2)}×) |`,
      `| transitions per CPU-second, start to end | ${of(transitions, 'perCpuSecond').toFixed(0)} |`,
      `| transitions/s, on one core | ${of(transitions, 'perSecond').toFixed(0)} |`,
      `| ingest p99 at ${LOAD_PER_S}/s, before / while ${TIMERS} timers fire | ${of(fired, 'before').toFixed(1)} / ${of(fired, 'during').toFixed(1)} ms |`,
      `| timers fired per second meanwhile | ${of(fired, 'perSecond').toFixed(0)} |`,
      '',
    ].join('\n'),
  );
}

const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  fill: fillPart,
  memory: memoryPart,
  wake: wakePart,
  transitions: transitionsPart,
  timers: timersPart,
  fire: firePart,
};

const [name, ...args] = process.argv.slice(2);
await (name === undefined ? all() : PARTS[name]?.(args));
