import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../receiver/routing/table.ts';
import { writeTable } from './bench-table.ts';
import { bundleCommand } from './bundle-command.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/** How a receiver is started. */
export interface ReceiverSetup {
  readonly entries: readonly Entry[];
  /** A data directory that it begins with a copy of. */
  readonly from?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the bundle's receiver without a cluster, as its own first line would start it; stops it after `use`. */
export async function withReceiver<T>(
  { entries, from, env }: ReceiverSetup,
  use: (server: ServerProcess, port: number) => Promise<T>,
): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  try {
    if (from !== undefined) cpSync(from, data, { recursive: true });
    await writeTable(data, entries);
    const listen = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const bundle = bundleCommand();
    const command = [...bundle.args, 'receiver', '--data', data, ...listen];
    const server = await startServer(
      [...command, '--egress-allow', '127.0.0.0/8', '--kubeconfig', nowhere(data)],
      (line) => line.includes('"public"'),
      { ...bundle.env, ...env },
    );
    try {
      return await use(server, portOf(server.ready));
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(data, { recursive: true });
  }
}

function portOf(ready: string): number {
  return Number(new URL((JSON.parse(ready) as { public: string }).public).port);
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
