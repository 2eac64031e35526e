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
import { percentile } from './percentile.ts';
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
    observer: { queued: () => undefined },
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
const WARM = 3000;

/** `fill DIR COUNT UNTIL`: in a process of its own, so that nothing of it is left in memory. */
async function fillPart([directory = '', count = '', until = '']: readonly string[]): Promise<void> {
  const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
  await fill(journal, Number(count), Number(until));
  await journal.close();
}

/** `wake DIR COUNT`: memory of a process over so many sleeping instances, and what waking one costs. */
async function wakePart([directory = '', count = '']: readonly string[]): Promise<void> {
  const journal = await openSqliteJournal({ directory, log: createMemoryLog() });
  const one = running(journal);
  one.streams.routesChanged();
  await journal.nextRowDue('instance');
  const memory = residentMegabytes(process.pid);
  // Others start and wake first, so that both measurements find the code as warm.
  await measured(WARM, async (i) => {
    await accept(one, orderEvent('start', `w${i}`));
    await accept(one, orderEvent('paid', `w${i}`));
  });
  const apart = Math.floor(Number(count) / WAKES);
  const { cpu, seconds } = await measured(WAKES, (i) => accept(one, orderEvent('paid', `o${i * apart}`)));
  const after = residentMegabytes(process.pid);
  tell({ memory, after, cpuUs: (cpu / WAKES) * 1e6, us: (seconds / WAKES) * 1e6 });
  await journal.close();
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

const LOAD_PER_S = 500;

/** `timers DIR`: ingest of a whole receiver before and while it fires what is due. */
async function timersPart([directory = '', due = '']: readonly string[]): Promise<void> {
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
  receiver.apply({ version: 1, revision: 1, entries: [endpointEntry({ scheme: 'Emporix' }), ENTRY] });
  const left = async (): Promise<number> => {
    const { body } = await request(`${receiver.addresses.admin}/api/instance-counts`, {
      headers: { authorization: 'Bearer t' },
    });
    const { items } = (await body.json()) as { items: readonly { status: string; count: number }[] };
    return items.find(({ status }) => status === 'Waiting')?.count ?? 0;
  };
  const before = await loaded(receiver.addresses.public, 'b', async () => void (await pause(5000)));
  const began = Date.now();
  skew = 2e9;
  const during = await loaded(receiver.addresses.public, 'd', async () => {
    while ((await left()) > 0) await pause(250);
  });
  const seconds = (Date.now() - began) / 1000;
  tell({ before, during, perSecond: Number(due) / seconds });
  await receiver.close();
}

/** The p99 of an open loop of plain events that nobody takes, while something goes on. */
async function loaded(url: string, run: string, meanwhile: () => Promise<void>): Promise<number> {
  const latencies: number[] = [];
  const sent: Promise<void>[] = [];
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
        request(`${url}/e/shop.hooks`, { method: 'POST', headers, body }).then(async (answer) => {
          await answer.body.dump();
          latencies.push(performance.now() - due);
        }),
      );
    }
  }, 2);
  await meanwhile();
  clearInterval(timer);
  await Promise.all(sent);
  return percentile(Float64Array.from(latencies).sort(), 0.99);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function tell(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Runs a part in a process of its own, on the one core that the server of `npm run bench` has. */
async function part(name: string, ...args: readonly (string | number)[]): Promise<Record<string, number>> {
  const file = import.meta.filename;
  const child = spawn('taskset', ['-c', '0', process.execPath, file, name, ...args.map(String)], {
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

const TIMERS = 100_000;

async function all(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const in5y = Date.now() + 1.5e11;
  const woken: Record<string, number>[] = [];
  for (const count of [1000, 1_000_000]) {
    const directory = join(root, String(count));
    await part('fill', directory, count, in5y);
    woken.push(await part('wake', directory, count));
  }
  const transitions = await part('transitions', join(root, 'transitions'));
  await part('fill', join(root, 'timers'), TIMERS, Date.now() - 1e9);
  const timers = await part('timers', join(root, 'timers'), TIMERS);
  await rm(root, { recursive: true });
  const [few, many] = woken;
  const of = (one: Record<string, number> | undefined, name: string): number => one?.[name] ?? Number.NaN;
  process.stdout.write(
    [
      '| | |',
      '|---|---|',
      `| memory over 1,000 / 1,000,000 sleeping instances | ${of(few, 'memory').toFixed(0)} / ${of(many, 'memory').toFixed(0)} MB |`,
      `| the same after ${WAKES} wake-ups | ${of(few, 'after').toFixed(0)} / ${of(many, 'after').toFixed(0)} MB |`,
      `| CPU of a wake-up, of 1,000 / 1,000,000 | ${of(few, 'cpuUs').toFixed(0)} / ${of(many, 'cpuUs').toFixed(0)} µs (${(of(many, 'cpuUs') / of(few, 'cpuUs')).toFixed(2)}×) |`,
      `| transitions per CPU-second, start to end | ${of(transitions, 'perCpuSecond').toFixed(0)} |`,
      `| transitions/s on one core | ${of(transitions, 'perSecond').toFixed(0)} |`,
      `| ingest p99 at ${LOAD_PER_S}/s, before / while ${TIMERS} timers fire | ${of(timers, 'before').toFixed(1)} / ${of(timers, 'during').toFixed(1)} ms |`,
      `| timers fired per second meanwhile | ${of(timers, 'perSecond').toFixed(0)} |`,
      '',
    ].join('\n'),
  );
}

const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  fill: fillPart,
  wake: wakePart,
  transitions: transitionsPart,
  timers: timersPart,
};

const [name, ...args] = process.argv.slice(2);
await (name === undefined ? all() : PARTS[name]?.(args));
