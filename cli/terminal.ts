import type { Terminal } from './command.ts';

/**
 * The process's own terminal. The first SIGINT or SIGTERM asks for a graceful stop; a second one ends the process at
 * once, for whoever will not wait.
 */
export function processTerminal(): Terminal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort());
  }
  // A reader that went away (`| head`) is no defect of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      stop.abort();
    });
  }
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    ...(process.stderr.isTTY ? { progress: showProgress } : {}),
    env: process.env,
    stop: stop.signal,
  };
}

/** Writes over its own line; an empty text leaves it clean. */
function showProgress(text: string): void {
  process.stderr.write(`\r\x1b[K${text}`);
}
