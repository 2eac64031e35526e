import type { Terminal } from '../command.ts';

/** A terminal that remembers what was written to it; `stop()` is its Ctrl-C. */
export function fakeTerminal(env: Readonly<Record<string, string>> = {}): Terminal & {
  readonly outLines: string[];
  readonly errLines: string[];
  readonly end: () => void;
} {
  const stop = new AbortController();
  const outLines: string[] = [];
  const errLines: string[] = [];
  return {
    out: (text) => void outLines.push(...text.split('\n')),
    err: (text) => void errLines.push(...text.split('\n')),
    env,
    stop: stop.signal,
    outLines,
    errLines,
    end: () => stop.abort(),
  };
}
