import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../../receiver/routing/table.ts';
import { writeTable } from '../bench/bench-table.ts';
import { bundleCommand } from '../bench/bundle-command.ts';

/** A receiver of the bundle, in a process of its own. */
export interface ReceiverProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Port of its public listener. */
  readonly port: number;
  /** Its answer for `/api/…`. */
  admin(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** What a receiver is started with. */
export interface ReceiverSetup {
  /** The bundled command. */
  readonly command: string;
  /** Its data directory. */
  readonly data: string;
  readonly entries: readonly Entry[];
  /** Left out: the embedded journal. */
  readonly journal?: string;
  readonly logLevel?: string;
}

/** Starts one that finds its last good table in the data directory and no cluster. */
export async function startReceiver(setup: ReceiverSetup): Promise<ReceiverProcess> {
  const { command, data, entries, journal, logLevel = 'info' } = setup;
  await writeTable(data, entries);
  const bundle = bundleCommand(command);
  const listen = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const args = [...bundle.args, 'receiver', '--data', data, ...listen, '--kubeconfig', nowhere(data)];
  const more = ['--egress-allow', '127.0.0.0/8', '--log-level', logLevel];
  const child = spawn(
    process.execPath,
    [...args, ...more, ...(journal === undefined ? [] : ['--journal', journal])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...bundle.env, SIGNALBOX_ADMIN_TOKEN: 'bench' },
    },
  );
  const addresses = await listening(child);
  return {
    child,
    pid: child.pid ?? 0,
    port: Number(new URL(addresses.public).port),
    async admin(path) {
      const answer = await fetch(`${addresses.admin}${path}`, { headers: { authorization: 'Bearer bench' } });
      return answer.json();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function listening(child: ChildProcess): Promise<{ readonly public: string; readonly admin: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the receiver ended with ${code}:\n${text}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-100_000);
      const line = text.split('\n').find((each) => each.includes('"public"') && each.endsWith('}'));
      if (line !== undefined) resolve(JSON.parse(line) as { public: string; admin: string });
    });
  });
}

/** A cluster whose API server is away. */
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
