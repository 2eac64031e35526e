import { setImmediate as turn } from 'node:timers/promises';
import { type Backoff, backoffDelay } from '../receiver/kube/backoff.ts';

export interface QueueOptions {
  /** Keys handled at once. */
  readonly workers: number;
  /** Handles one key. Where it throws, the key comes again after a growing pause. */
  readonly handle: (key: string) => Promise<void>;
  /** Told of each error, before the pause. */
  readonly failed: (key: string, error: unknown) => void;
  readonly backoff: Backoff;
  readonly observer?: QueueObserver;
  /** Nothing waits and nothing is under way any more; so many were handled since the last time. */
  readonly idle?: (handled: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Told how long things took, in milliseconds. */
export interface QueueObserver {
  /** From when a key was added to when it is handled. */
  waited(ms: number): void;
  worked(key: string, ms: number, ok: boolean): void;
}

/**
 * A queue of names. A name that waits already is not queued twice; one that is being handled is handled again after
 * that, never at the same time.
 */
export interface Queue {
  /** Begins to handle what has been added. */
  start(): void;
  add(key: string): void;
  /** Adds the key after so many milliseconds; a sooner addition does not cancel it. */
  addAfter(key: string, ms: number): void;
  /** Handles nothing more and resolves when what is under way has ended. */
  stop(): Promise<void>;
  /** Names that wait. */
  readonly length: number;
}

export function createQueue(options: QueueOptions): Queue {
  const { workers, handle, failed, backoff, observer, idle, now, random } = options;
  /** In order of arrival, with when they came. */
  const waiting = new Map<string, number>();
  const active = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let started = false;
  let handled = 0;
  let stopped = false;

  function add(key: string): void {
    if (stopped) return;
    if (active.has(key)) again.add(key);
    else wait(key);
    fill();
  }

  function wait(key: string): void {
    if (!waiting.has(key)) waiting.set(key, now());
  }

  function addAfter(key: string, ms: number): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      add(key);
    }, ms);
    timers.add(timer);
  }

  function fill(): void {
    if (!started) return;
    for (const [key, since] of waiting) {
      if (stopped || active.size >= workers) return;
      waiting.delete(key);
      observer?.waited(now() - since);
      active.set(key, work(key));
    }
  }

  async function work(key: string): Promise<void> {
    // On a turn of its own: whoever adds a key is not held up by its handling, and thousands that wait for nothing let the
    // process answer and collect between them.
    await turn();
    const began = now();
    let ok = true;
    try {
      await handle(key);
      failures.delete(key);
    } catch (error) {
      ok = false;
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      failed(key, error);
      addAfter(key, backoffDelay(backoff, count, random));
    }
    observer?.worked(key, now() - began, ok);
    active.delete(key);
    if (again.delete(key)) wait(key);
    handled += 1;
    fill();
    if (active.size === 0 && waiting.size === 0 && !stopped) {
      idle?.(handled);
      handled = 0;
    }
  }

  return {
    start() {
      started = true;
      fill();
    },
    add,
    addAfter,
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      waiting.clear();
      await Promise.all(active.values());
    },
    get length() {
      return waiting.size;
    },
  };
}
