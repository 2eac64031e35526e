import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Features, featuresOf } from '../../cli/listen/backend/features.ts';
import { type ServedBackend, serveBackend } from '../../cli/listen/backend/serve.ts';
import type { BridgeStatus } from '../../receiver/bridge/status.ts';
import { createLog } from '../../receiver/observe/log.ts';
import { createReceiver, type Receiver } from '../../receiver/receiver.ts';
import type { BridgeEntry, BridgeSink, Entry } from '../../receiver/routing/table.ts';
import { bridgeEntry, ojsSource, POLICY } from '../../receiver/routing/testing.ts';
import { chosenJournal } from '../postgres/chosen-journal.ts';

/** A request as the sink got it. */
export interface Arrived {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An event as the sink got it, in whatever mode. */
export type Received = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** A backend, a receiver with a journal of its own, and a sink. */
export interface BridgeStage extends AsyncDisposable {
  readonly backend: ServedBackend;
  receiver(): Receiver;
  readonly requests: readonly Arrived[];
  /** Every event that came, repeats included. */
  readonly events: readonly Received[];
  readonly logged: readonly string[];
  /** Statuses that the sink answers with, 202 where it is empty. */
  readonly answers: number[];
  /** While set, the sink answers this. */
  sinkStatus: number | undefined;
  bridge(over?: Partial<BridgeEntry>, source?: Parameters<typeof ojsSource>[1]): BridgeEntry;
  sink(over?: Partial<BridgeSink>): BridgeSink;
  apply(...entries: Entry[]): void;
  status(): Promise<BridgeStatus>;
  /** Resolves once the bridge reads and has nothing to catch up on. */
  reading(): Promise<BridgeStatus>;
  api(path: string): Promise<{ readonly items: readonly Readonly<Record<string, unknown>>[] }>;
  /** Ends the receiver and starts another on its journal, with the same table. */
  restart(): Promise<void>;
  /** Resolves when it holds, looked at whenever something came. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
}

const FREE = { host: '127.0.0.1', port: 0 };
const TOKEN = 'admin-t0ken';

/** What a stage's backend is. */
export interface StageOptions {
  readonly have?: readonly (keyof Features)[];
  readonly cutMs?: number;
  readonly dropEvery?: number;
  readonly now?: () => Date;
}

/** Sets it up. */
export async function setStage({
  have = ['queues', 'websocket', 'list'],
  cutMs = 0,
  dropEvery = 0,
  now = () => new Date(),
}: StageOptions = {}): Promise<BridgeStage> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bridge-'));
  const chosen = await chosenJournal();
  const backend = await serveBackend(FREE, {
    features: featuresOf(have),
    cutMs,
    dropEvery,
    now,
    id: randomUUID,
  });
  const requests: Arrived[] = [];
  const events: Received[] = [];
  const answers: number[] = [];
  const logged: string[] = [];
  let sinkStatus: number | undefined;
  let revision = 0;
  let entries: readonly Entry[] = [];
  const sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const status = sinkStatus ?? answers.shift() ?? 202;
      requests.push({ headers: request.headers, body });
      if (status < 300) events.push(...eventsOf(request.headers, body));
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/in`;
  let receiver = await start();

  function start(): Promise<Receiver> {
    return createReceiver({
      dataDirectory: directory,
      public: FREE,
      cluster: FREE,
      admin: FREE,
      adminToken: TOKEN,
      ...(chosen.journal === undefined ? {} : { journal: chosen.journal }),
      egress: { allowLoopback: true },
      log: createLog('info', { write: (line: string) => void logged.push(line) }),
      now: Date.now,
      random: Math.random,
    });
  }

  async function api(
    path: string,
  ): Promise<{ readonly items: readonly Readonly<Record<string, unknown>>[] }> {
    const response = await fetch(`${receiver.addresses.admin}/api/${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return (await response.json()) as { items: readonly Readonly<Record<string, unknown>>[] };
  }

  async function status(): Promise<BridgeStatus> {
    const { items } = await api('bridges');
    return items[0] as unknown as BridgeStatus;
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  return {
    backend,
    receiver: () => receiver,
    requests,
    events,
    logged,
    answers,
    get sinkStatus() {
      return sinkStatus;
    },
    set sinkStatus(value) {
      sinkStatus = value;
    },
    bridge: (over = {}, source = {}) =>
      bridgeEntry(backend.url, { sink: sinkOf(), source: ojsSource(backend.url, source), ...over }),
    sink: (over = {}) => ({ ...sinkOf(), ...over }),
    apply(...now) {
      revision += 1;
      entries = now;
      receiver.apply({ version: 1, revision, entries });
    },
    status,
    async reading() {
      let last = await status();
      await until(async () => {
        last = await status();
        return last.state === 'Reading' && last.lossless !== undefined;
      });
      return last;
    },
    api,
    async restart() {
      await receiver.close();
      receiver = await start();
      receiver.apply({ version: 1, revision, entries });
    },
    until,
    async [Symbol.asyncDispose]() {
      await receiver.close();
      await backend.stop();
      sink.closeAllConnections();
      sink.close();
      await chosen.drop();
      await rm(directory, { recursive: true });
    },
  };

  function sinkOf(): BridgeSink {
    return {
      shape: { sink: { format: 'structured' } },
      destination: { kind: 'sink', url: sinkUrl, headers: [] },
      policy: { ...POLICY, backoffDelayMs: 20, ceilingMs: 200 },
    };
  }
}

function eventsOf(headers: IncomingHttpHeaders, body: string): readonly Received[] {
  const kind = headers['content-type'] ?? '';
  if (kind.startsWith('application/cloudevents-batch')) return JSON.parse(body) as Received[];
  if (kind.startsWith('application/cloudevents')) return [JSON.parse(body) as Received];
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
  const event = Object.fromEntries(attributes.map(([name, value]) => [name.slice(3), value]));
  return [{ ...event, data: JSON.parse(body) as unknown } as unknown as Received];
}

/** Enqueues a job. */
export function enqueue(backend: ServedBackend, type = 'email.send', queue = 'default'): string {
  const job = backend.jobs.enqueue({ type, args: [] }, queue);
  if (job === undefined) throw new Error(`queue ${queue} is paused`);
  return job.id;
}

/** Takes one job through to its end. */
export function work(backend: ServedBackend, result: unknown = { ok: true }): void {
  for (const { id } of backend.jobs.fetch([], 1)) backend.jobs.ack(id, result);
}
