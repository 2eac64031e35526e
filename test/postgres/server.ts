import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const USER = 'signalbox';
const PASSWORD = 'pa55-w0rd';
const READY_WITHIN_MS = 60_000;
/** Who a server runs as where the tests are root: it refuses root; anybody else will do. */
export const NOBODY = 65_534;

/** A PostgreSQL of its own. */
export interface PostgresServer {
  /** URL of its database `postgres`, as a superuser. */
  readonly url: string;
  readonly folder: string;
  /** Ends every connection and comes back at the same port with the same data. */
  restart(): Promise<void>;
  /** It is gone, as after a power cut: connections are refused. The data stay. */
  kill(): Promise<void>;
  /** Brings a killed one back. */
  start(): Promise<void>;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

/** What a server is started with. */
export interface ServerOptions {
  /** False: what it acknowledges may be lost with the machine; tests that never cut the power are faster so. */
  readonly fsync: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a server from the programs in `binaries` on a free port of 127.0.0.1 (2 s). */
export async function startPostgres(binaries: string, options: ServerOptions): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-postgres-'));
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, PASSWORD);
  await chmod(folder, 0o755);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) for (const path of [folder, passwordFile]) await chown(path, NOBODY, NOBODY);
  const command = (program: string, args: readonly string[]): readonly [string, readonly string[]] => {
    const file = join(binaries, program);
    const unprivileged = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--', file];
    return asRoot ? ['setpriv', [...unprivileged, ...args]] : [file, args];
  };
  const [initdb, initdbArgs] = command('initdb', [
    `--pgdata=${data}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
  ]);
  await run(initdb, initdbArgs, { cwd: folder });
  const port = await freePort();
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: options.fsync ? 'on' : 'off',
    max_connections: '200',
    shared_buffers: '128MB',
    logging_collector: 'off',
    log_min_messages: 'fatal',
    ...options.settings,
  };
  const url = `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [program, all] = command('postgres', ['-D', data, ...args]);
    child = spawn(program, all, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] });
    await ready(url, child);
  }

  async function end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  }

  // A test run that is cut off leaves no server behind.
  const last = (): void => void child?.kill('SIGQUIT');
  process.once('exit', last);
  await start();
  return {
    url,
    folder,
    start,
    kill: () => end('SIGQUIT'),
    async restart() {
      await end('SIGINT');
      await start();
    },
    async stop() {
      process.off('exit', last);
      await end('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null) throw new Error('PostgreSQL ended while it started', { cause: error });
      if (Date.now() > deadline) throw new Error('PostgreSQL is not ready after a minute', { cause: error });
      await after(50);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
