import type { Journal } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { Routes } from './engine-contract.ts';
import { heldUp } from './held-up.ts';
import type { SetTimer } from './outbound.ts';

const AFTER_ERROR_MS = 5000;

/** What it works with. */
export interface ReleasesParts {
  readonly journal: Pick<Journal, 'release' | 'flush'>;
  readonly routes: Routes;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly log: Log;
  /** Parked deliveries are due now. */
  readonly released: () => void;
}

/** Sets parked deliveries free when their triggers may deliver again, one trigger after the other. */
export interface Releases {
  add(triggers: readonly string[]): void;
  stop(): void;
}

/** Makes it. */
export function createReleases({ journal, routes, now, setTimer, log, released }: ReleasesParts): Releases {
  const pending = new Set<string>();
  let busy = false;
  let stopped = false;

  async function work(): Promise<void> {
    busy = true;
    try {
      // What was parked a moment ago must be in the journal before it is asked to release it.
      await journal.flush();
      for (const trigger of pending) {
        if (stopped) return;
        pending.delete(trigger);
        if (isHeldUp(trigger)) continue;
        if ((await journal.release(trigger, now())) > 0) released();
      }
    } catch (error) {
      log.error({ err: error }, 'parked deliveries cannot be released; trying again');
      setTimer(begin, AFTER_ERROR_MS);
    } finally {
      busy = false;
    }
    if (pending.size > 0) begin();
  }

  function begin(): void {
    if (!busy && !stopped && pending.size > 0) void work();
  }

  /** A deleted trigger holds nothing up: its deliveries come back to become dead letters. */
  function isHeldUp(trigger: string): boolean {
    const route = routes.route(trigger);
    return route !== undefined && heldUp(route) !== undefined;
  }

  return {
    add(triggers) {
      for (const trigger of triggers) pending.add(trigger);
      begin();
    },
    stop() {
      stopped = true;
    },
  };
}
