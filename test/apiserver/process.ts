import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that runs until it is stopped. */
export interface RunningProgram {
  readonly pid: number;
  /** The end of what it wrote, to tell why it failed. */
  readonly log: () => string;
  /** Whether it has ended, whoever ended it. */
  readonly hasEnded: () => boolean;
  /** Stands still: its sockets stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** Starts a program that must not outlive this process. Rejects where it cannot be started. */
export async function startProgram(file: string, args: readonly string[]): Promise<RunningProgram> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'spawn');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const killChild = () => child.kill('SIGKILL');
  process.on('exit', killChild);
  child.once('exit', () => process.off('exit', killChild));
  return {
    pid: child.pid ?? 0,
    log: collectLog(child),
    hasEnded,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      if (hasEnded()) return;
      const ended = once(child, 'exit');
      killChild();
      await ended;
    },
  };
}

function collectLog(child: ChildProcess): () => string {
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4000);
    });
  }
  return () => log;
}
