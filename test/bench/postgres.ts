import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from '../postgres/binaries.ts';
import { type ReceiverProcess, startReceiver } from '../postgres/receiver-process.ts';
import { startPostgres } from '../postgres/server.ts';
import { makeDatabase } from '../postgres/suite.ts';
import { oneRoute } from './bench-table.ts';
import { limitCores } from './core-share.ts';
import { processesOf, serverCpuSeconds, watchLocks, written } from './database-cost.ts';
import { fsyncMilliseconds } from './fsync-time.ts';
import { type LoadResult, requestTemplate, runLoad } from './http-load.ts';
import { openSink } from './http-sink.ts';
import { percentile } from './percentile.ts';
import { cpuSeconds } from './process-cost.ts';

/*
 * `npm run bench:postgres`: durable end to end with the journal in PostgreSQL, everything on the cores of one machine: the
 * database (fsync on), one receiver or two, the load and the sink. BENCH_SECONDS, BENCH_RETAINED (events of history that
 * are put in before the second half). Each receiver has connections of its own, so that two are not only half
 * as busy. Prints a table; a figure is only as quiet as the machine.
 */

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const RETAINED = Number(process.env['BENCH_RETAINED'] ?? 1_000_000);
const CONNECTIONS = 64;
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

/** So little that the other cores are never the bound. */
const RECEIVER_CORES = 0.2;
const DATABASE_CORES = 0.15;
const BOUND = {
  receivers: `each with ${RECEIVER_CORES} of a core`,
  database: `the database with ${DATABASE_CORES} of a core`,
} as const;

interface Measured {
  readonly name: string;
  readonly perSecond: number;
  readonly receiverMicros: number;
  readonly databaseMicros: number;
  readonly walBytes: number;
  readonly tableBytes: number;
  readonly perTransaction: number;
  /** Of the moments in which a receiver's statement was looked at, those in which it waited for a lock. */
  readonly lockedPercent: number;
  readonly answer: readonly [number, number];
  readonly endToEnd: readonly [number, number];
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const micros = (seconds: number, events: number): number => Math.round((seconds / events) * 1e6);

async function main(): Promise<void> {
  const { folder, missing } = findBinaries();
  if (folder === undefined) throw new Error(missing);
  if (!existsSync('dist/signalbox.js')) throw new Error('there is no bundle; run `npm run bundle`');
  const server = await startPostgres(folder, {
    fsync: true,
    settings: { shared_buffers: '512MB', max_wal_size: '4GB', checkpoint_timeout: '5min' },
  });
  const postmaster = Number(
    readFileSync(join(server.folder, 'data', 'postmaster.pid'), 'utf8').split('\n', 1)[0],
  );
  const scratch = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const dueAt = new Map<number, number>();
  const latencies: number[] = [];
  const sink = await openSink((id) => {
    const due = dueAt.get(id);
    if (due !== undefined) latencies.push(performance.now() - due);
    dueAt.delete(id);
  });
  const database = await makeDatabase(server.url);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const running: ReceiverProcess[] = [];
  let nextId = 1;

  const start = async (): Promise<void> => {
    const data = join(scratch, `receiver-${running.length}`);
    const entries = oneRoute(`http://127.0.0.1:${sink.port}/`);
    running.push(
      await startReceiver({
        command: 'dist/signalbox.js',
        data,
        entries,
        journal: database.url,
        logLevel: 'info',
      }),
    );
  };

  async function load(seconds: number, rate?: number): Promise<{ results: LoadResult[]; sent: number }> {
    const results = await Promise.all(
      running.map(({ port }, i) =>
        runLoad({
          port,
          template: TEMPLATE,
          connections: CONNECTIONS,
          seconds,
          firstId: nextId + i * 10_000_000,
          sending: (id, at) => dueAt.set(id, at),
          ...(rate === undefined ? {} : { rate: rate / running.length }),
        }),
      ),
    );
    nextId += Math.max(...results.map(({ sent }) => sent));
    for (const { statuses } of results) {
      if (Object.keys(statuses).some((status) => status !== '202'))
        throw new Error(`not every answer was 202: ${JSON.stringify(statuses)}`);
    }
    return { results, sent: results.reduce((sum, { sent }) => sum + sent, 0) };
  }

  async function measure(name: string, rate?: number): Promise<Measured> {
    await load(2, rate);
    await quiet();
    latencies.length = 0;
    const before = await written(client);
    const cpu = running.map(({ pid }) => cpuSeconds(pid));
    const databaseCpu = serverCpuSeconds(postmaster);
    const locks = watchLocks(client);
    const started = performance.now();
    const { results, sent } = await load(SECONDS, rate);
    await quiet();
    const lockedPercent = await locks.end();
    const seconds = (performance.now() - started) / 1000;
    const end = await written(client);
    const used = running.reduce((sum, { pid }, i) => sum + cpuSeconds(pid) - (cpu[i] ?? 0), 0);
    const answers = Float64Array.from(results.flatMap((result) => [...result.latencies])).sort();
    const ends = Float64Array.from(latencies).sort();
    const measured: Measured = {
      name,
      perSecond: Math.round(sent / seconds),
      receiverMicros: micros(used, sent),
      databaseMicros: micros(serverCpuSeconds(postmaster) - databaseCpu, sent),
      walBytes: Math.round((end.wal - before.wal) / sent),
      tableBytes: Math.round((end.tables - before.tables) / sent),
      perTransaction: Math.round((sent / (end.transactions - before.transactions)) * 10) / 10,
      lockedPercent,
      answer: [percentile(answers, 0.5), percentile(answers, 0.99)],
      endToEnd: [percentile(ends, 0.5), percentile(ends, 0.99)],
    };
    say(row(measured));
    return measured;
  }

  /** Waits until everything that was sent has arrived. */
  async function quiet(): Promise<void> {
    while (dueAt.size > 0) await after(5);
  }

  /** What a second receiver brings where a part of a core for each of them is the bound, or one for the database. */
  async function boundBy(what: 'receivers' | 'database'): Promise<void> {
    const [first, second] = running;
    if (first === undefined || second === undefined) throw new Error('two receivers are wanted');
    const limited =
      what === 'receivers'
        ? running.map(({ pid }) => limitCores([pid], RECEIVER_CORES))
        : [limitCores(processesOf(postmaster), DATABASE_CORES)];
    const shares = limited.flatMap((share) => ('missing' in share ? [] : [share]));
    try {
      const missing = limited.find((share) => 'missing' in share);
      if (missing !== undefined) {
        say(`(left out, bound by ${what}: ${missing.missing})`);
        return;
      }
      const both = await measure(`two receivers, ${BOUND[what]}`);
      running.pop();
      const one = await measure(`one receiver, ${BOUND[what]}`);
      running.push(second);
      say(`(two bring ${(both.perSecond / one.perSecond).toFixed(2)} times what one does)`);
    } finally {
      for (const share of shares) share.lift();
    }
  }

  try {
    say(
      `${cpus().length} cores, fsync of 4 kB ${fsyncMilliseconds(scratch).toFixed(2)} ms (median), body ${BODY.length} bytes\n`,
    );
    say(HEAD);
    await start();
    const one = await measure('one receiver, full load');
    await measure('one receiver, half load', one.perSecond / 2);
    await start();
    await measure('two receivers, full load');
    await boundBy('receivers');
    await boundBy('database');
    await running.pop()?.stop();
    await measure('one receiver again');
    const filled = performance.now();
    await fill(client, RETAINED);
    say(`(${RETAINED} events of history put in, in ${Math.round((performance.now() - filled) / 1000)} s)`);
    // Each page of the keys' index is written whole at its first change after a checkpoint: the fill ends with one.
    await measure('one receiver, with the history, just after a checkpoint');
    await measure('one receiver, with it, half load', one.perSecond / 2);
    await measure('one receiver, with it, full load');
  } finally {
    await Promise.all(running.map((receiver) => receiver.stop()));
    sink.close();
    await client.end();
    await server.stop();
    rmSync(scratch, { recursive: true });
  }
}

/** Puts history into the present partition, as it would lie there: delivered once each, with its dedup key. */
async function fill(client: pg.Client, events: number): Promise<void> {
  await client.query('SET search_path = signalbox; SET synchronous_commit = off');
  const { rows } = await client.query('SELECT id FROM part ORDER BY id DESC LIMIT 1');
  const base = (rows[0] as { id: number }).id * 2 ** 36 + 2 ** 35;
  const names = await client.query('SELECT min(id) AS id FROM name');
  const name = (names.rows[0] as { id: number }).id;
  const step = 100_000;
  const now = Date.now();
  for (let from = 0; from < events; from += step) {
    const to = Math.min(from + step, events) - 1;
    const series = `generate_series(${base + from}::bigint, ${base + to}::bigint) AS i`;
    await client.query(`INSERT INTO event SELECT i, ${now}, ${name}, i, 1,
      '{"specversion":"1.0","id":"' || i || '","source":"/bench","type":"bench.order"}', '{"matched":["shop/orders"],"revision":1}',
      decode(repeat('78', 500), 'hex') FROM ${series}`);
    await client.query(`INSERT INTO done SELECT i, i, ${name}, ${name}, 2, ${now}, ${now}, 500, NULL,
      ARRAY['{"at":${now},"durationMs":1.5,"status":202}'], NULL, NULL FROM ${series}`);
    await client.query(
      `INSERT INTO seen SELECT md5(i::text)::uuid, i, ${now + 86_400_000}, '[["shop/orders"],[]]' FROM ${series}`,
    );
  }
  // What has grown over days was vacuumed on the way; left to itself, that would be done while it is measured.
  await client.query('VACUUM ANALYZE event, done, seen');
  await client.query('CHECKPOINT');
}

const HEAD = [
  '| | events/s | receiver µs/event | database µs/event | WAL B/event | tables B/event | events/transaction | waits for locks % | answer p50, p99 ms | end to end p50, p99 ms |',
  '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
].join('\n');

function row({ name, answer, endToEnd, ...figures }: Measured): string {
  const numbers = Object.values(figures).map((figure) => figure.toLocaleString('en'));
  const times = [answer, endToEnd].map((pair) => pair.map((ms) => ms.toFixed(1)).join(', '));
  return `| ${[name, ...numbers, ...times].join(' | ')} |`;
}

await main();
