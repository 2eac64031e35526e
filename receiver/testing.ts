import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chosenJournal } from '../test/postgres/chosen-journal.ts';
import { createLog } from './observe/log.ts';
import type { KeptRefusal } from './observe/refusal-log.ts';
import { createReceiver, type Receiver, type ReceiverOptions } from './receiver.ts';
import type { Entry, TriggerEntry } from './routing/table.ts';
import { triggerEntry } from './routing/testing.ts';

/** A request as the stage's sink got it. */
export interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What the receiver answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: {
    readonly events?: readonly {
      readonly id?: string;
      readonly duplicate?: boolean;
      readonly triggers?: readonly string[];
      readonly instances?: readonly string[];
      readonly error?: { readonly code: string; readonly message: string };
    }[];
    readonly error?: { readonly code: string; readonly message: string };
  };
}

/** A receiver with a real journal and real listeners, and a sink that takes what it delivers. For tests. */
export interface Stage {
  readonly receiver: Receiver;
  /** Puts a table of those entries in force. */
  apply(...entries: Entry[]): void;
  /** A trigger of `shop/hooks` whose target is the sink. */
  toSink(over?: Partial<TriggerEntry>): TriggerEntry;
  /** Resolves when the sink has taken so many requests in all. */
  delivered(count: number): Promise<readonly Arrived[]>;
  /** What `/api/rejected` lists. */
  rejected(query?: string): Promise<readonly KeptRefusal[]>;
  readonly logged: readonly string[];
  close(): Promise<void>;
}

const FREE = { host: '127.0.0.1', port: 0 };
/** What the stage's admin listener wants. */
export const ADMIN_TOKEN = 'admin-t0ken';

/** Opens a stage; `now` is its clock, where a test moves it. */
export async function openStage({
  now = Date.now,
  ...more
}: { now?: () => number } & Pick<
  ReceiverOptions,
  'adminToken' | 'issuer' | 'maxBacklog' | 'tracing' | 'journal'
> = {}): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-stage-'));
  const chosen = await chosenJournal();
  const arrived: Arrived[] = [];
  const logged: string[] = [];
  let arrival: (() => void) | undefined;
  let revision = 0;
  const sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(202).end();
      arrived.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
      arrival?.();
    });
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/in`;
  const receiver = await createReceiver({
    dataDirectory: directory,
    public: FREE,
    cluster: FREE,
    admin: FREE,
    adminToken: ADMIN_TOKEN,
    ...more,
    journal: { ...chosen.journal, ...more.journal },
    egress: { allowLoopback: true },
    log: createLog('warn', { write: (line: string) => void logged.push(line) }),
    now,
    random: Math.random,
  });
  return {
    receiver,
    logged,
    apply(...entries) {
      revision += 1;
      receiver.apply({ version: 1, revision, entries });
    },
    toSink: (over = {}) => triggerEntry({ destination: { kind: 'sink', url, headers: [] }, ...over }),
    async delivered(count) {
      while (arrived.length < count) {
        await new Promise<void>((resolve) => {
          arrival = resolve;
        });
      }
      return arrived;
    },
    async rejected(query = '') {
      const response = await fetch(`${receiver.addresses.admin}/api/rejected${query}`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      return ((await response.json()) as { items: KeptRefusal[] }).items;
    },
    async close() {
      await receiver.close();
      sink.closeAllConnections();
      sink.close();
      await chosen.drop();
      await rm(directory, { recursive: true });
    },
  };
}

/** The header by which `endpointEntry` knows its sender. */
export function signature(body: string | Buffer): { readonly 'x-emporix-hmac': string } {
  return { 'x-emporix-hmac': createHmac('sha256', 's3cr3t').update(body).digest('base64') };
}

/** Sends one POST. */
export async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Answer['json']) : {};
  return { status: response.status, headers: response.headers, text, json };
}
