import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { manyRoutes, oneRoute } from './bench-table.ts';
import { measureDoor } from './door.ts';
import { measureExpressions } from './expressions.ts';
import { type Figures, figuresOf, joined, middle, row } from './figures.ts';
import { fsyncMilliseconds } from './fsync-time.ts';
import { type LoadResult, requestTemplate, runLoad } from './http-load.ts';
import { openSink } from './http-sink.ts';
import { median, percentile } from './percentile.ts';
import { prefillDeliveries, prefillKeys } from './prefill.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { type ReceiverSetup, withReceiver } from './receiver-process.ts';
import { startServer } from './server-process.ts';
import { buildSlowFsync } from './slow-fsync.ts';

/*
 * `npm run bench`: raw node:http, durable accept and durable end to end, in turns in one run, the bundle on one core and
 * the load with the sink on the other. Figures are per CPU-second of the whole server process, the journal's thread
 * included. Prints a table and writes it into docs/performance.md. BENCH_SECONDS and BENCH_ROUNDS make it shorter.
 */

const CONNECTIONS = 64;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** A measurement under full load comes in so many pieces, raw `node:http` in turns with it. */
const SLICES = 5;
/** By then the code is compiled: in the first seconds V8's compiler takes 1 to 3 µs of each event. */
const WARM_SECONDS = 5;
/** After that under full load a compiler hardly takes the core from what it compiles. */
const COMPILED_SECONDS = 15;
const RATES = [4000, 7500];
const KEYS = 3_000_000;
const BACKLOG = 1_000_000;
/** More events than are ever sent and not yet taken by the sink. */
const MOST_UNDER_WAY = 1 << 20;
const DAY = 86_400_000;
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/';
const BODY = JSON.stringify({ orderId: 'EON1075', amount: 4999, note: 'x'.repeat(450) });
const TEMPLATE = requestTemplate(
  '/e/shop.hooks',
  {
    'ce-specversion': '1.0',
    'ce-type': 'bench.order',
    'ce-source': '/bench',
    'content-type': 'application/json',
    'x-emporix-hmac': createHmac('sha256', 's3cr3t').update(BODY).digest('base64'),
  },
  BODY,
);

/** A server under measurement. */
interface Server {
  readonly pid: number;
  readonly port: number;
  /** Hears of each event that goes out to it. */
  readonly sending?: (id: number, at: number) => void;
}

/** What a receiver begins with. */
type Start = Omit<ReceiverSetup, 'entries'>;

let nextId = 1;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function load(
  { port, sending }: Omit<Server, 'pid'>,
  more: { seconds?: number; warmUpSeconds?: number; rate?: number } = {},
): Promise<LoadResult> {
  return runLoad({
    port,
    ...(sending === undefined ? {} : { sending }),
    template: TEMPLATE,
    connections: CONNECTIONS,
    seconds: SECONDS,
    firstId: nextId,
    ...more,
  });
}

function checked(result: LoadResult): LoadResult {
  nextId += result.sent;
  const other = Object.keys(result.statuses).filter((status) => status !== '202');
  if (other.length > 0) throw new Error(`not every answer was 202: ${JSON.stringify(result.statuses)}`);
  return result;
}

/** Raw `node:http`, which runs all the time and costs nothing where nobody asks it. */
async function withRaw<T>(use: (raw: Server) => Promise<T>): Promise<T> {
  const server = await startServer(['test/bench/raw-server.ts'], (line) => line.includes('"port"'));
  try {
    const { port } = JSON.parse(server.ready) as { port: number };
    checked(await load({ port }, { seconds: WARM_SECONDS }));
    return await use({ pid: server.pid, port });
  } finally {
    await server.stop();
  }
}

async function rawAlone(raw: Server): Promise<Figures> {
  const before = cpuSeconds(raw.pid);
  const result = checked(await load(raw));
  return { ...figuresOf(result, cpuSeconds(raw.pid) - before, result.seconds), ofRaw: 1 };
}

/**
 * A server under full load and raw `node:http` in turns, a second and half a second: a machine that others share is
 * another one a minute later, and what is in proportion is to have been measured on the same. `quiet` resolves when all
 * that was sent is done.
 */
async function besideRaw(
  raw: Server,
  server: Server,
  quiet = async (): Promise<void> => {},
): Promise<Figures> {
  const slice = SECONDS / SLICES;
  const results: LoadResult[] = [];
  const spent = { cpu: 0, seconds: 0, rawCpu: 0, rawSent: 0 };
  for (let i = 0; i < SLICES; i++) {
    const rawBefore = cpuSeconds(raw.pid);
    spent.rawSent += checked(await load(raw, { seconds: slice / 2 })).sent;
    spent.rawCpu += cpuSeconds(raw.pid) - rawBefore;
    const before = cpuSeconds(server.pid);
    const started = performance.now();
    results.push(checked(await load(server, { seconds: slice })));
    await quiet();
    spent.seconds += (performance.now() - started) / 1000;
    spent.cpu += cpuSeconds(server.pid) - before;
  }
  const figures = figuresOf(joined(results), spent.cpu, spent.seconds);
  return { ...figures, ofRaw: figures.perCpuSecond / (spent.rawSent / spent.rawCpu) };
}

/** The trigger is suspended: events and their deliveries are written, none is made. */
function durableAccept(raw: Server, start: Start): Promise<Figures> {
  const entries = oneRoute(NOWHERE, { suspend: true });
  return withReceiver({ ...start, entries }, async ({ pid }, port) => {
    checked(await load({ port }, { seconds: WARM_SECONDS }));
    return besideRaw(raw, { pid, port });
  });
}

/** A receiver with a sink, warm. `quiet` resolves when all that was sent has arrived there. */
async function withSink(
  start: Start,
  warmSeconds: number,
  measure: (server: Server, quiet: () => Promise<void>) => Promise<Figures>,
): Promise<Figures> {
  // By an event's number, and not in a Map: its old tables would cost collections on the core that measures.
  const dueAt = new Float64Array(MOST_UNDER_WAY);
  let underWay = 0;
  const latencies: number[] = [];
  const sink = await openSink((id) => {
    const due = dueAt[id % MOST_UNDER_WAY];
    if (due === undefined || due === 0) return;
    latencies.push(performance.now() - due);
    dueAt[id % MOST_UNDER_WAY] = 0;
    underWay -= 1;
  });
  const sending = (id: number, at: number): void => {
    dueAt[id % MOST_UNDER_WAY] = at;
    underWay += 1;
  };
  const quiet = (): Promise<void> => until(() => underWay === 0);
  try {
    const entries = oneRoute(`http://127.0.0.1:${sink.port}/`);
    return await withReceiver({ ...start, entries }, async ({ pid }, port) => {
      const server = { pid, port, sending };
      checked(await load(server, { seconds: warmSeconds }));
      await quiet();
      latencies.length = 0;
      const figures = await measure(server, quiet);
      const sorted = Float64Array.from(latencies).sort();
      return {
        ...figures,
        endToEnd: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
        memory: residentMegabytes(pid),
      };
    });
  } finally {
    sink.close();
  }
}

function endToEnd(raw: Server, start: Start): Promise<Figures> {
  return withSink(start, WARM_SECONDS, (server, quiet) => besideRaw(raw, server, quiet));
}

function openLoop(start: Start, rate: number): Promise<Figures> {
  return withSink(start, COMPILED_SECONDS, async (server, quiet) => {
    const before = cpuSeconds(server.pid);
    const result = checked(await load(server, { rate, warmUpSeconds: WARM_SECONDS }));
    await quiet();
    return figuresOf(result, cpuSeconds(server.pid) - before, result.seconds);
  });
}

/** Waits for a count that only grows; gives up after a minute. */
async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error('not everything was delivered within a minute');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function memoryWithTriggers(count: number): Promise<number> {
  return withReceiver({ entries: manyRoutes(NOWHERE, count) }, async (server, port) => {
    checked(await load({ port }, { seconds: 1, rate: 500 }));
    return residentMegabytes(server.pid);
  });
}

/** From the start of the process to its first 202. */
async function firstAnswer(): Promise<number> {
  const started = performance.now();
  return withReceiver({ entries: oneRoute(NOWHERE, { suspend: true }) }, async (_server, port) => {
    const result = checked(
      await runLoad({ port, template: TEMPLATE, connections: 1, seconds: 0.001, firstId: nextId }),
    );
    if (result.sent === 0) throw new Error('no answer');
    return performance.now() - started;
  });
}

interface Measurement {
  readonly name: string;
  readonly take: () => Promise<Figures>;
}

/** Data directories to begin with: dedup keys, and the same with deliveries whose time has not come. */
async function prefill(folder: string): Promise<{ keys: Start; backlog: Start }> {
  const at = Date.now();
  const [keys, backlog] = [join(folder, 'keys'), join(folder, 'backlog')];
  for (const directory of [keys, backlog]) mkdirSync(directory);
  say(`putting ${KEYS} dedup keys into a journal`);
  prefillKeys(keys, KEYS, { at, windowMs: DAY });
  say(`putting ${BACKLOG} deliveries into another`);
  prefillKeys(backlog, KEYS, { at, windowMs: DAY });
  await prefillDeliveries(backlog, BACKLOG, { trigger: 'shop/later', at, due: at + DAY });
  return { keys: { from: keys }, backlog: { from: backlog } };
}

function measurements(
  raw: Server,
  { keys, backlog, slow }: { keys: Start; backlog: Start; slow: Start | undefined },
): readonly Measurement[] {
  const all: Measurement[] = [
    { name: 'raw `node:http`', take: () => rawAlone(raw) },
    { name: 'durable accept, no dedup keys yet', take: () => durableAccept(raw, {}) },
    { name: 'durable accept', take: () => durableAccept(raw, keys) },
    { name: 'durable end to end, no dedup keys yet', take: () => endToEnd(raw, {}) },
    { name: 'durable end to end', take: () => endToEnd(raw, keys) },
    { name: `… with ${BACKLOG.toLocaleString('en')} deliveries waiting`, take: () => endToEnd(raw, backlog) },
  ];
  if (slow !== undefined) {
    all.push({ name: 'durable accept, an fsync of 1 ms more', take: () => durableAccept(raw, slow) });
    all.push({ name: 'durable end to end, an fsync of 1 ms more', take: () => endToEnd(raw, slow) });
  }
  for (const rate of RATES)
    all.push({ name: `end to end, open loop at ${rate}/s`, take: () => openLoop(keys, rate) });
  return all;
}

/** Takes each in turns, so many times. */
async function inRounds(all: readonly Measurement[]): Promise<readonly Figures[]> {
  const rounds = all.map((): Figures[] => []);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [i, { name, take }] of all.entries()) {
      const one = await take();
      rounds[i]?.push(one);
      say(`round ${round} of ${ROUNDS}: ${row(name, one)}`);
    }
  }
  return rounds.map(middle);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  try {
    const { keys, backlog } = await prefill(folder);
    const slowed = buildSlowFsync(folder);
    if ('missing' in slowed) say(`left out, an fsync of 1 ms more: ${slowed.missing}`);
    const slow = 'env' in slowed ? { ...keys, ...slowed } : undefined;
    const rows = await withRaw(async (raw) => {
      const all = measurements(raw, { keys, backlog, slow });
      const figures = await inRounds(all);
      return figures.map((one, i) => row(all[i]?.name ?? '', one));
    });
    say('memory, start, door and expressions');
    const memory = await memoryWithTriggers(10_000);
    const starts = [await firstAnswer(), await firstAnswer(), await firstAnswer()];
    const report = [
      `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version},`,
      `${BODY.length} B bodies, ${CONNECTIONS} connections, median of ${ROUNDS} interleaved rounds of ${SECONDS} s, ${KEYS.toLocaleString('en')} keys in the`,
      `dedup window where nothing else is said. One fsync: ${fsyncMilliseconds(folder).toFixed(2)} ms.`,
      '',
      '| | events per CPU-second | of raw | events/s | accept p50 / p99 ms | end to end p50 / p99 ms | MB |',
      '|---|---|---|---|---|---|---|',
      ...rows,
      ...('missing' in slowed ? ['', `Left out, an fsync of 1 ms more: ${slowed.missing}.`] : []),
      '',
      `Memory with 10,000 triggers: ${memory.toFixed(0)} MB. First 202 after the start of the process: ${median(starts).toFixed(0)} ms.`,
      '',
      '| | | cost |',
      '|---|---|---|',
      ...measureDoor(),
      ...measureExpressions(),
    ].join('\n');
    say(`\n${report}`);
    keep(report);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the table between the markers of docs/performance.md. */
function keep(report: string): void {
  const path = 'docs/performance.md';
  const page = readFileSync(path, 'utf8');
  const [head, tail] = [page.indexOf('<!-- bench -->'), page.indexOf('<!-- /bench -->')];
  writeFileSync(path, `${page.slice(0, head)}<!-- bench -->\n${report}\n${page.slice(tail)}`);
}

await main();
