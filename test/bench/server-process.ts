import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server under measurement, pinned to a core of its own. */
export interface ServerProcess {
  readonly pid: number;
  /** Milliseconds from spawn to the first line that `ready` took. */
  readonly readyMs: number;
  readonly ready: string;
  stop(): Promise<void>;
}

/** Starts `node ARGS` on core 0 and waits until a line of its output is one that `ready` takes. */
export async function startServer(
  args: readonly string[],
  ready: (line: string) => boolean,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const started = performance.now();
  const child = spawn('taskset', ['-c', '0', process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const line = await firstLine(child, ready);
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - started,
    ready: line,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function firstLine(child: ChildProcess, ready: (line: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let found = false;
    child.once('exit', (code) =>
      reject(new Error(`the server ended with ${code} before it was ready:\n${text}`)),
    );
    child.stdout?.on('data', (chunk: Buffer) => {
      if (found) return;
      text += chunk.toString();
      const line = text.split('\n').slice(0, -1).find(ready);
      if (line === undefined) return;
      found = true;
      resolve(line);
    });
  });
}
