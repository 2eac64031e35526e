import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../receiver/routing/table.ts';
import { manyRoutes, oneRoute, writeTable } from './bench-table.ts';
import { measureDoor } from './door.ts';
import { measureExpressions } from './expressions.ts';
import { fsyncMilliseconds } from './fsync-time.ts';
import { type LoadResult, requestTemplate, runLoad } from './http-load.ts';
import { openSink } from './http-sink.ts';
import { median, percentile } from './percentile.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/*
 * `npm run bench`: raw node:http, durable accept and durable end to end, in turns in one run, the bundle on one core and
 * the load with the sink on the other. Figures are per CPU-second of the whole server process, the journal's thread
 * included. Prints a table and writes it into docs/performance.md.
 */

const CONNECTIONS = 64;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const RATE = 4000;
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

interface Figures {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly endToEnd?: { readonly p50: number; readonly p99: number };
}

let nextId = 1;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function withReceiver<T>(
  entries: readonly Entry[],
  use: (server: ServerProcess, port: number, data: string) => Promise<T>,
): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  try {
    await writeTable(data, entries);
    const listen = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const server = await startServer(
      [
        ...readFileSync('dist/signalbox.js', 'utf8').split('\n', 1)[0]!.match(/--\S+/g)!,
        'dist/signalbox.js',
        'receiver',
        '--data',
        data,
        ...listen,
        '--egress-allow',
        '127.0.0.0/8',
        '--kubeconfig',
        nowhere(data),
      ],
      (line) => line.includes('"public"'),
    );
    try {
      return await use(
        server,
        Number(new URL((JSON.parse(server.ready) as { public: string }).public).port),
        data,
      );
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(data, { recursive: true });
  }
}

/** A cluster whose API server is away: the receiver starts from its last good table. */
function nowhere(data: string): string {
  const path = join(data, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'away', cluster: { server: 'http://127.0.0.1:9' } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
    'current-context': 'away',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function load(
  port: number,
  more: { seconds?: number; rate?: number; sending?: (id: number, at: number) => void },
): Promise<LoadResult> {
  return runLoad({
    port,
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

function figures(result: LoadResult, cpu: number, seconds: number): Figures {
  return {
    perCpuSecond: result.sent / cpu,
    perSecond: result.sent / seconds,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
  };
}

async function raw(): Promise<Figures> {
  const server = await startServer(['test/bench/raw-server.ts'], (line) => line.includes('"port"'));
  try {
    const { port } = JSON.parse(server.ready) as { port: number };
    checked(await load(port, { seconds: 1 }));
    const before = cpuSeconds(server.pid);
    const result = checked(await load(port, {}));
    return figures(result, cpuSeconds(server.pid) - before, result.seconds);
  } finally {
    await server.stop();
  }
}

/** The trigger is suspended: events and their deliveries are written, none is made. */
async function durableAccept(): Promise<Figures> {
  return withReceiver(oneRoute('http://127.0.0.1:9/', { suspend: true }), async (server, port) => {
    checked(await load(port, { seconds: 1 }));
    const before = cpuSeconds(server.pid);
    const result = checked(await load(port, {}));
    return figures(result, cpuSeconds(server.pid) - before, result.seconds);
  });
}

async function endToEnd(rate?: number): Promise<Figures> {
  const dueAt = new Map<number, number>();
  const latencies: number[] = [];
  const sink = await openSink((id) => {
    const due = dueAt.get(id);
    if (due !== undefined) latencies.push(performance.now() - due);
    dueAt.delete(id);
  });
  try {
    return await withReceiver(oneRoute(`http://127.0.0.1:${sink.port}/`), async (server, port) => {
      // Compiled under full load, then as it is measured: what full load leaves to be collected is not the rate's.
      const warm = checked(await load(port, { seconds: 2 }));
      await until(() => sink.taken >= warm.sent);
      if (rate !== undefined) {
        const steady = checked(await load(port, { seconds: 2, rate }));
        await until(() => sink.taken >= warm.sent + steady.sent);
      }
      const before = cpuSeconds(server.pid);
      const started = performance.now();
      const taken = sink.taken;
      const sending = (id: number, at: number) => void dueAt.set(id, at);
      const result = checked(await load(port, { sending, ...(rate === undefined ? {} : { rate }) }));
      await until(() => sink.taken - taken >= result.sent);
      const seconds = (performance.now() - started) / 1000;
      const sorted = Float64Array.from(latencies).sort();
      return {
        ...figures(result, cpuSeconds(server.pid) - before, seconds),
        endToEnd: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
      };
    });
  } finally {
    sink.close();
  }
}

/** Waits for a count that only grows; gives up after a minute. */
async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error('not everything was delivered within a minute');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function memoryWithTriggers(count: number): Promise<number> {
  return withReceiver(manyRoutes('http://127.0.0.1:9/', count), async (server, port) => {
    checked(await load(port, { seconds: 1, rate: 500 }));
    return residentMegabytes(server.pid);
  });
}

/** From the start of the process to its first 202. */
async function firstAnswer(): Promise<number> {
  const started = performance.now();
  return withReceiver(oneRoute('http://127.0.0.1:9/', { suspend: true }), async (_server, port) => {
    const result = checked(
      await runLoad({ port, template: TEMPLATE, connections: 1, seconds: 0.001, firstId: nextId }),
    );
    if (result.sent === 0) throw new Error('no answer');
    return performance.now() - started;
  });
}

function middle(rounds: readonly Figures[]): Figures {
  const of = (pick: (one: Figures) => number) => median(rounds.map(pick));
  const both = rounds.flatMap((one) => (one.endToEnd === undefined ? [] : [one.endToEnd]));
  return {
    perCpuSecond: of((one) => one.perCpuSecond),
    perSecond: of((one) => one.perSecond),
    p50: of((one) => one.p50),
    p99: of((one) => one.p99),
    ...(both.length === 0
      ? {}
      : { endToEnd: { p50: median(both.map((one) => one.p50)), p99: median(both.map((one) => one.p99)) } }),
  };
}

function row(name: string, one: Figures, rawCost: number): string {
  const ends =
    one.endToEnd === undefined ? '–' : `${one.endToEnd.p50.toFixed(1)} / ${one.endToEnd.p99.toFixed(1)}`;
  const ratio = (one.perCpuSecond / rawCost).toFixed(2);
  return `| ${name} | ${Math.round(one.perCpuSecond)} | ${ratio} | ${Math.round(one.perSecond)} | ${one.p50.toFixed(1)} / ${one.p99.toFixed(1)} | ${ends} |`;
}

async function main(): Promise<void> {
  const rounds = {
    raw: [] as Figures[],
    accept: [] as Figures[],
    whole: [] as Figures[],
    open: [] as Figures[],
  };
  for (let round = 1; round <= ROUNDS; round++) {
    say(`round ${round} of ${ROUNDS}: raw, accept, end to end, open loop`);
    rounds.raw.push(await raw());
    rounds.accept.push(await durableAccept());
    rounds.whole.push(await endToEnd());
    rounds.open.push(await endToEnd(RATE));
  }
  say('memory and start');
  const memory = await memoryWithTriggers(10_000);
  const starts = [await firstAnswer(), await firstAnswer(), await firstAnswer()];
  const probe = mkdtempSync(join(tmpdir(), 'signalbox-fsync-'));
  const fsync = fsyncMilliseconds(probe);
  rmSync(probe, { recursive: true });
  const baseline = middle(rounds.raw).perCpuSecond;
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version},`,
    `${BODY.length} B bodies, ${CONNECTIONS} connections, median of ${ROUNDS} interleaved rounds of ${SECONDS} s. One fsync: ${fsync.toFixed(2)} ms.`,
    '',
    '| | events per CPU-second | of raw | events/s | accept p50 / p99 ms | end to end p50 / p99 ms |',
    '|---|---|---|---|---|---|',
    row('raw `node:http`', middle(rounds.raw), baseline),
    row('durable accept', middle(rounds.accept), baseline),
    row('durable end to end', middle(rounds.whole), baseline),
    row(`end to end, open loop at ${RATE}/s`, middle(rounds.open), baseline),
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
}

/** Writes the table between the markers of docs/performance.md. */
function keep(report: string): void {
  const path = 'docs/performance.md';
  const page = readFileSync(path, 'utf8');
  const [head, tail] = [page.indexOf('<!-- bench -->'), page.indexOf('<!-- /bench -->')];
  writeFileSync(path, `${page.slice(0, head)}<!-- bench -->\n${report}\n${page.slice(tail)}`);
}

await main();
