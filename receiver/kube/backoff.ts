/** Delays that double from `firstMs` to `mostMs`, each somewhere between half of it and all of it. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The delay after the `failures`-th failure in a row (1, 2, …), in milliseconds. */
export function backoffDelay({ firstMs, mostMs }: Backoff, failures: number, random: () => number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random() / 2);
}

/** Waits; ends early, without an error, when the signal is given. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
