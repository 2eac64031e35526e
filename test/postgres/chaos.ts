import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import pg from 'pg';
import { Agent, request } from 'undici';
import { oneRoute } from '../bench/bench-table.ts';
import { type ReceiverProcess, startReceiver } from './receiver-process.ts';
import { startPostgres } from './server.ts';
import { makeDatabase } from './suite.ts';

/*
 * The promise under test: whatever was answered with a 202 reaches its target, however often receivers and the database
 * die between.
 */

/** How much is broken, and how long. */
export interface ChaosOptions {
  /** Where the programs of the server are. */
  readonly binaries: string;
  /** The bundled command. */
  readonly command: string;
  readonly seconds: number;
  /** A receiver is killed (SIGKILL) so often, in turn, and started anew. */
  readonly receiverEveryMs: number;
  /** The database is broken so often, in turn: killed and away for a moment; every connection ended. */
  readonly databaseEveryMs: number;
  readonly senders: number;
  readonly progress?: (line: string) => void;
}

/** What a run came to. */
export interface ChaosReport {
  readonly receiversKilled: number;
  readonly databaseKilled: number;
  readonly connectionsEnded: number;
  /** Requests, repeats of one event included. */
  readonly requests: number;
  readonly refused: number;
  readonly acknowledged: number;
  /** Of those acknowledged. */
  readonly delivered: number;
  readonly lost: readonly string[];
  /** Events that were delivered more than once, each time with the same idempotency key. */
  readonly twice: number;
  readonly keysDiffer: readonly string[];
  /** From the end of the load until all was delivered. */
  readonly settledMs: number;
}

const RECEIVERS = 2;
const BODY = '{"orderId":"EON1075"}';
const SIGNATURE = createHmac('sha256', 's3cr3t').update(BODY).digest('base64');
/** Nothing new for so long: what is missing now is lost. */
const LOST_MS = 40_000;

/** Runs a load on two receivers and one PostgreSQL, and breaks them. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { binaries, command, progress = () => undefined } = options;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-chaos-'));
  const sink = await openSink();
  const server = await startPostgres(binaries, { fsync: true });
  const database = await makeDatabase(server.url);
  const entries = oneRoute(sink.url);
  const receivers: (ReceiverProcess | undefined)[] = [];
  const counts = { receiversKilled: 0, databaseKilled: 0, connectionsEnded: 0, requests: 0, refused: 0 };
  let going = true;

  async function start(i: number): Promise<void> {
    for (;;) {
      try {
        const data = join(folder, String(i));
        receivers[i] = await startReceiver({ command, data, entries, journal: database.url });
        return;
      } catch (error) {
        // The database is away at this moment.
        progress(`receiver ${i} does not start: ${String(error).split('\n', 1)[0]}`);
        await after(200);
      }
    }
  }

  async function breakReceivers(): Promise<void> {
    for (let i = 0; going; i = (i + 1) % RECEIVERS) {
      await after(options.receiverEveryMs);
      const receiver = receivers[i];
      if (!going || receiver === undefined) return;
      receivers[i] = undefined;
      const exited = once(receiver.child, 'exit');
      receiver.child.kill('SIGKILL');
      await exited;
      counts.receiversKilled++;
      await start(i);
    }
  }

  async function breakDatabase(): Promise<void> {
    for (let turn = 0; going; turn++) {
      await after(options.databaseEveryMs);
      if (!going) return;
      if (turn % 2 === 1) {
        counts.connectionsEnded++;
        await endConnections(database.url);
        continue;
      }
      counts.databaseKilled++;
      await server.kill();
      await after(1000);
      await server.start();
    }
  }

  const agent = new Agent({ connections: 4, headersTimeout: 20_000, bodyTimeout: 20_000 });
  const acknowledged = new Set<string>();

  async function insist(id: string, sender: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const receiver = receivers[(sender + attempt) % RECEIVERS];
      counts.requests++;
      if (receiver !== undefined && (await post(agent, receiver.port, id)) === 202) {
        acknowledged.add(id);
        return;
      }
      counts.refused++;
      await after(100);
    }
  }

  async function send(sender: number): Promise<void> {
    for (let i = 0; going; i++) await insist(`${sender}-${i}`, sender);
  }

  try {
    await Promise.all(Array.from({ length: RECEIVERS }, (_, i) => start(i)));
    const senders = Array.from({ length: options.senders }, (_, i) => send(i));
    const breaking = [breakReceivers(), breakDatabase()];
    for (let second = 0; second < options.seconds; second += 10) {
      await after(Math.min(10, options.seconds - second) * 1000);
      progress(`${acknowledged.size} acknowledged, ${sink.keys.size} delivered, ${JSON.stringify(counts)}`);
    }
    going = false;
    await Promise.all([...senders, ...breaking]);
    const ended = performance.now();
    await sink.seen(acknowledged);
    const settledMs = Math.round(performance.now() - ended);
    const keys = [...sink.keys].filter(([id]) => acknowledged.has(id));
    return {
      ...counts,
      acknowledged: acknowledged.size,
      delivered: keys.length,
      lost: [...acknowledged].filter((id) => !sink.keys.has(id)),
      twice: keys.filter(([, seen]) => seen.length > 1).length,
      keysDiffer: keys.filter(([, seen]) => new Set(seen).size !== 1).map(([id]) => id),
      settledMs,
    };
  } finally {
    going = false;
    for (const receiver of receivers) await receiver?.stop();
    await agent.destroy();
    sink.server.close();
    sink.server.closeAllConnections();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function headersOf(id: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-type': 'order.created',
    'ce-source': '/chaos',
    'ce-id': id,
    'content-type': 'application/json',
    'x-emporix-hmac': SIGNATURE,
  };
}

async function post(agent: Agent, port: number, id: string): Promise<number> {
  try {
    const answer = await request(`http://127.0.0.1:${port}/e/shop.hooks`, {
      method: 'POST',
      dispatcher: agent,
      headers: headersOf(id),
      body: BODY,
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return 0;
  }
}

async function endConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await client.end();
}

interface ChaosSink {
  readonly server: Server;
  readonly url: string;
  /** Idempotency keys by event id, one per request. */
  readonly keys: Map<string, string[]>;
  /** Resolves when each of these ids was delivered, or when nothing new came for long. */
  seen(ids: ReadonlySet<string>): Promise<void>;
}

async function openSink(): Promise<ChaosSink> {
  const keys = new Map<string, string[]>();
  let heard = (): void => undefined;
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => {
      const id = String(incoming.headers['ce-id']);
      keys.set(id, [...(keys.get(id) ?? []), String(incoming.headers['idempotency-key'])]);
      response.writeHead(202).end();
      heard();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    server,
    keys,
    url: `http://127.0.0.1:${port}/`,
    seen: (ids) =>
      new Promise((resolve) => {
        let quiet: NodeJS.Timeout;
        heard = () => {
          clearTimeout(quiet);
          quiet = setTimeout(resolve, LOST_MS);
          if (keys.size < ids.size || ![...ids].every((id) => keys.has(id))) return;
          clearTimeout(quiet);
          resolve();
        };
        heard();
      }),
  };
}
