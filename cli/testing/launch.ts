import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inbox } from './inbox.ts';

const CLI = join(import.meta.dirname, '..', 'signalbox.ts');

/** The command as a process of its own. */
export interface Launched {
  /** Resolves with the first line of either output that fits; rejects where the process ends before. */
  line(pattern: RegExp): Promise<string>;
  readonly lines: readonly string[];
  readonly exited: Promise<number | null>;
  /** SIGTERM, unless another is named; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts `signalbox` with these arguments; it does not outlive this process. */
export function launch(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Launched {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const lines = inbox<string>();
  for (const output of [child.stdout, child.stderr]) createInterface(output).on('line', lines.add);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  return {
    line: (pattern) =>
      Promise.race([
        lines.next((line) => pattern.test(line)),
        exited.then((code) => {
          throw new Error(`ended with ${code} before ${pattern}: ${lines.all.join('\n')}`);
        }),
      ]),
    lines: lines.all,
    exited,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')),
  };
}
