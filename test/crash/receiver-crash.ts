import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { Pool } from 'undici';

/*
 * The promise under test: whatever was answered with a 202 reaches its target, however often the process dies between.
 */

/** What a run of crashes came to. */
export interface CrashReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Acknowledged and never delivered. */
  readonly lost: readonly string[];
  /** Delivered more than once; each must have come with one idempotency key. */
  readonly repeated: number;
  /** Events that came with more than one idempotency key. */
  readonly keysDiffer: readonly string[];
}

export interface CrashOptions {
  /** The bundled command. */
  readonly command: string;
  /** An empty folder. */
  readonly directory: string;
  readonly rounds: number;
  /** 0 up to 1; decides when each kill comes. */
  readonly random: () => number;
  readonly progress?: (round: number, acknowledged: number) => void;
}

const BODY = '{"orderId":"EON1075"}';
const SIGNATURE = createHmac('sha256', 's3cr3t').update(BODY).digest('base64');
const SENDERS = 24;

/** Kills the process `rounds` times under load, starts it once more, and waits for all that was acknowledged. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const sink = await openSink();
  const manifest = join(options.directory, 'crash.yaml');
  await writeFile(manifest, manifestFor(sink.url));
  const acknowledged = new Set<string>();
  try {
    for (let round = 1; round <= options.rounds; round++) {
      const server = await start(options, manifest);
      const load = sendUntilDown(server.url, round, acknowledged);
      await load.flowing;
      await pause(20 + options.random() * 300);
      server.child.kill('SIGKILL');
      await Promise.all([server.exited, load.ended]);
      options.progress?.(round, acknowledged.size);
    }
    const last = await start(options, manifest);
    await sink.seen(acknowledged);
    last.child.kill('SIGTERM');
    await last.exited;
  } finally {
    sink.server.close();
    sink.server.closeAllConnections();
  }
  const keys = [...sink.keys];
  return {
    rounds: options.rounds,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((id) => !sink.keys.has(id)),
    repeated: keys.filter(([, seen]) => seen.length > 1).length,
    keysDiffer: keys.filter(([, seen]) => new Set(seen).size !== 1 || seen.includes('')).map(([id]) => id),
  };
}

function manifestFor(sink: string): string {
  return `
apiVersion: v1
kind: Secret
metadata: { name: key, namespace: crash }
stringData: { secret: s3cr3t }
---
apiVersion: signalbox.dev/v1alpha1
kind: WebhookSecret
metadata: { name: hooks, namespace: crash }
spec:
  source: crash
  scheme: Emporix
  secrets: [{ name: current, secretKeyRef: { name: key, key: secret } }]
---
apiVersion: signalbox.dev/v1alpha1
kind: EventTrigger
metadata: { name: forward, namespace: crash }
spec:
  from: [{ webhookSecret: { name: hooks } }]
  target: { sink: { uri: "${sink}" } }
  delivery: { backoffDelay: PT0.05S, retry: 50, backoffPolicy: linear }
`;
}

interface CrashSink {
  readonly server: Server;
  readonly url: string;
  /** Idempotency keys by event id, one per request. */
  readonly keys: Map<string, string[]>;
  /** Resolves when each of these ids was delivered, or when nothing new came for 15 s. */
  seen(ids: ReadonlySet<string>): Promise<void>;
}

async function openSink(): Promise<CrashSink> {
  const keys = new Map<string, string[]>();
  let heard = () => {};
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const id = String(request.headers['ce-id']);
      const key = String(request.headers['idempotency-key'] ?? '');
      keys.set(id, [...(keys.get(id) ?? []), key]);
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
        const look = () => {
          clearTimeout(quiet);
          quiet = setTimeout(resolve, 15_000);
          if (keys.size >= ids.size && [...ids].every((id) => keys.has(id))) {
            clearTimeout(quiet);
            resolve();
          }
        };
        heard = look;
        look();
      }),
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly exited: Promise<unknown>;
}

async function start({ command, directory }: CrashOptions, manifest: string): Promise<Started> {
  const listen = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const args = [command, 'run', '-f', manifest, '--data', join(directory, 'data'), ...listen];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const found = /(http:\/\/127\.0\.0\.1:\d+)\/e\/crash/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`signalbox run ended with ${code}:\n${text}`)));
  });
  return { child, url, exited };
}

/** Sends events one after another on many connections until the server is gone; notes every id answered with 202. */
function sendUntilDown(url: string, round: number, acknowledged: Set<string>) {
  const pool = new Pool(url, { connections: SENDERS });
  let flowing = () => {};
  const flows = new Promise<void>((resolve) => {
    flowing = resolve;
  });
  const one = async (sender: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const id = `${round}-${sender}-${i}`;
      try {
        const answer = await pool.request({
          method: 'POST',
          path: '/e/crash',
          headers: headersOf(id),
          body: BODY,
        });
        await answer.body.dump();
        if (answer.statusCode === 202) acknowledged.add(id);
        flowing();
      } catch {
        return;
      }
    }
  };
  const ended = Promise.all(Array.from({ length: SENDERS }, (_, sender) => one(sender))).then(() =>
    pool.destroy(),
  );
  return { flowing: flows, ended };
}

function headersOf(id: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-type': 'order.created',
    'ce-source': '/crash',
    'ce-id': id,
    'content-type': 'application/json',
    'x-emporix-hmac': SIGNATURE,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
