import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A plain HTTP way to the API server, and through it to every Service. */
export interface Proxy {
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts `kubectl proxy` on a free port. */
export async function openProxy(): Promise<Proxy> {
  // Not the worker's own stderr: a proxy that outlived a hung test would hold it open, and the run would never end.
  const child = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const kill = (): boolean => child.kill('SIGKILL');
  process.on('exit', kill);
  const port = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error('kubectl proxy ended')));
    createInterface(child.stdout).on('line', (line) => {
      const found = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      kill();
    },
  };
}
