import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import type { BridgeEntry, Entry } from '../../receiver/routing/table.ts';
import { bridgeEntry, ojsSource, POLICY } from '../../receiver/routing/testing.ts';
import { openSink } from './http-sink.ts';
import { median, percentile } from './percentile.ts';
import { cpuSeconds, residentMegabytes } from './process-cost.ts';
import { withReceiver } from './receiver-process.ts';

/*
 * `npm run bench:bridge`: what a bridge passes from a backend to a sink, the bundle on one core and the backend with the
 * sink on the other; what idle bridges take; how soon a bridge reads again after a cut. Writes its table into
 * docs/performance.md.
 */

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 60_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const IDLE = 100;
const CUTS = 20;
const BATCH = { events: 100, bytes: 1 << 20, waitMs: 100 };

type Format = 'batch' | 'structured' | 'binary';

interface Passed {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** A backend that has events when it is told to: pages of envelopes, or a stream of state changes. */
interface BenchBackend {
  readonly url: string;
  /** Tells so many events more. */
  tell(events: number): void;
  readonly streams: number;
  /** Streams that were ever opened. */
  readonly opened: number;
  cut(): void;
  close(): void;
}

function envelope(i: number): string {
  const id = String(i).padStart(12, '0');
  return `{"specversion":"1.0","id":"evt_${id}","type":"job.completed","source":"ojs://bench/workers/1","time":"2026-02-15T10:30:00.000Z","subject":"01961234-5678-7abc-def0-${id}","data":{"job_type":"email.send","queue":"default","duration_ms":245,"attempt":1,"result":{"messages":3}}}`;
}

function change(i: number): string {
  const id = String(i).padStart(12, '0');
  return `{"event":"job.state_changed","job_id":"01961234-5678-7abc-def0-${id}","queue":"default","type":"email.send","from":"active","to":"completed","timestamp":"2026-02-15T10:30:00.000Z"}`;
}

async function openBackend(kind: 'pages' | 'stream' | 'changes'): Promise<BenchBackend> {
  let had = 0;
  let opened = 0;
  const streams = new Set<ServerResponse>();
  const frame = kind === 'changes' ? change : envelope;
  const path = kind === 'changes' ? '/ojs/v1/queues/default/events' : '/ojs/v1/events/stream';

  function page(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '/', 'http://backend').searchParams;
    const from = Number(query.get('after') ?? 0);
    const to = Math.min(had, from + Number(query.get('limit') ?? 100));
    const events = Array.from({ length: to - from }, (_, i) => envelope(from + i));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"events":[${events.join(',')}],"cursor":"${to}","has_more":${to < had}}`);
  }

  const server = createServer((request, response) => {
    const at = request.url ?? '/';
    if (kind === 'pages' && at.startsWith('/ojs/v1/events?')) page(request, response);
    else if (kind !== 'pages' && at === path) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('retry: 3000\n\n');
      streams.add(response);
      opened += 1;
      response.on('close', () => streams.delete(response));
    } else if (kind === 'changes' && at === '/ojs/v1/queues') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"queues":[{"name":"default"}]}');
    } else response.writeHead(404).end();
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));

  /** As fast as it is taken: a bench measures the bridge, and not a backend that drops. */
  async function stream(from: number, to: number): Promise<void> {
    for (let i = from; i < to; i += 100) {
      let text = '';
      for (let j = i; j < Math.min(i + 100, to); j++)
        text += `id: evt_${j}\nevent: job\ndata: ${frame(j)}\n\n`;
      const [response] = streams;
      if (response === undefined) return;
      if (!response.write(text)) await new Promise((resolve) => response.once('drain', resolve));
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tell(events) {
      const from = had;
      had += events;
      if (kind !== 'pages') void stream(from, had);
    },
    get streams() {
      return streams.size;
    },
    get opened() {
      return opened;
    },
    cut() {
      for (const response of streams) response.destroy();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function bridgeTo(
  backend: string,
  sink: string,
  format: Format,
  over: Partial<BridgeEntry> = {},
): BridgeEntry {
  return bridgeEntry(backend, {
    source: ojsSource(backend, { enrich: false, pollIntervalMs: 50 }),
    sink: {
      shape: { sink: { format: format === 'batch' ? 'structured' : format } },
      destination: { kind: 'sink', url: sink, headers: [] },
      policy: format === 'batch' ? { ...POLICY, batch: BATCH } : POLICY,
    },
    ...over,
  });
}

async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error('it takes too long');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What one bridge passes on, from the first event told to the last one taken. */
async function passes(kind: 'pages' | 'stream' | 'changes', format: Format): Promise<Passed> {
  const backend = await openBackend(kind);
  const sink = await openSink(() => undefined);
  let taken = 0;
  const counted = await openCountingSink((events) => {
    taken += events;
  });
  try {
    const target = format === 'batch' ? counted.url : `http://127.0.0.1:${sink.port}/`;
    const got = (): number => (format === 'batch' ? taken : sink.taken);
    const entries: Entry[] = [bridgeTo(backend.url, target, format)];
    return await withReceiver({ entries }, async (server) => {
      if (kind !== 'pages') await until(() => backend.streams === 1);
      backend.tell(EVENTS / 3);
      await until(() => got() >= EVENTS / 3);
      const [before, from, started] = [cpuSeconds(server.pid), got(), performance.now()];
      backend.tell(EVENTS);
      await until(() => got() - from >= EVENTS);
      const seconds = (performance.now() - started) / 1000;
      return { perSecond: EVENTS / seconds, perCpuSecond: EVENTS / (cpuSeconds(server.pid) - before) };
    });
  } finally {
    backend.close();
    sink.close();
    counted.close();
  }
}

/** A sink that counts the events of batches without parsing them: each has one `"id":`. */
async function openCountingSink(
  took: (events: number) => void,
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      took(Buffer.concat(chunks).toString('latin1').split('"specversion":').length - 1);
      response.writeHead(202, { 'content-length': 0 }).end();
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What so many bridges take that read streams on which nothing happens. */
async function idleMemory(bridges: number): Promise<number> {
  const backend = await openBackend('stream');
  try {
    const one = (i: number): BridgeEntry =>
      bridgeTo(backend.url, 'http://127.0.0.1:9/', 'structured', { name: `b-${i}` });
    const entries = Array.from({ length: bridges }, (_, i) => one(i));
    return await withReceiver({ entries }, async (server) => {
      await until(() => backend.streams === bridges);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      return residentMegabytes(server.pid);
    });
  } finally {
    backend.close();
  }
}

/** Milliseconds from a cut to the next stream, sorted. */
async function reconnects(): Promise<Float64Array> {
  const backend = await openBackend('stream');
  try {
    return await withReceiver(
      { entries: [bridgeTo(backend.url, 'http://127.0.0.1:9/', 'structured')] },
      async () => {
        const times: number[] = [];
        for (let i = 0; i < CUTS; i++) {
          await until(() => backend.streams === 1);
          await new Promise((resolve) => setTimeout(resolve, 600));
          const cut = performance.now();
          const opened = backend.opened;
          backend.cut();
          // It may be back before anybody could see that it was away.
          await until(() => backend.opened > opened);
          times.push(performance.now() - cut);
        }
        return Float64Array.from(times).sort();
      },
    );
  } finally {
    backend.close();
  }
}

const ROWS: readonly (readonly [string, 'pages' | 'stream' | 'changes', Format])[] = [
  ['pages of envelopes, in batches', 'pages', 'batch'],
  ['a stream of envelopes, in batches', 'stream', 'batch'],
  ['a stream of state changes, in batches', 'changes', 'batch'],
  ['pages of envelopes, structured', 'pages', 'structured'],
  ['a stream of state changes, structured', 'changes', 'structured'],
  ['pages of envelopes, binary', 'pages', 'binary'],
];

async function measure(): Promise<string> {
  const figures = new Map<string, Passed[]>(ROWS.map(([name]) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, kind, format] of ROWS) {
      const passed = await passes(kind, format);
      figures.get(name)?.push(passed);
      process.stdout.write(
        `${name}: ${Math.round(passed.perSecond)}/s, ${Math.round(passed.perCpuSecond)} per CPU-second\n`,
      );
    }
  }
  const middle = (name: string, of: (passed: Passed) => number): number =>
    Math.round(median((figures.get(name) ?? []).map(of)));
  const none = await idleMemory(0).catch(() => Number.NaN);
  const idle = await idleMemory(IDLE);
  const times = await reconnects();
  return [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} cores (${(cpus()[0]?.model ?? '').replace(/ Processor.*/, '')}), Node ${process.version},`,
    `${envelope(0).length} B envelopes, ${EVENTS} events, median of ${ROUNDS} interleaved rounds; no enrichment.`,
    '',
    '| from the backend to the sink | events/s | events per CPU-second |',
    '|---|---|---|',
    ...ROWS.map(
      ([name]) =>
        `| ${name} | ${middle(name, (one) => one.perSecond)} | ${middle(name, (one) => one.perCpuSecond)} |`,
    ),
    '',
    `${IDLE} idle bridges: ${(idle - none).toFixed(0)} MB more than a receiver without any (${none.toFixed(0)} MB).`,
    `From a cut to the next stream: ${percentile(times, 0.5).toFixed(0)} ms, at most ${(times.at(-1) ?? 0).toFixed(0)} ms of ${times.length} times.`,
  ].join('\n');
}

const PAGE = 'docs/performance.md';
const [OPEN, CLOSE] = ['<!-- bench:bridge -->', '<!-- /bench:bridge -->'];

const table = await measure();
process.stdout.write(`\n${table}\n`);
const page = readFileSync(PAGE, 'utf8');
const [head] = page.split(OPEN);
const tail = page.slice(page.indexOf(CLOSE));
if (page.includes(OPEN)) writeFileSync(PAGE, `${head}${OPEN}\n${table}\n${tail}`);
