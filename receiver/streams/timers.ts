import type { SetTimer } from '../deliver/outbound.ts';
import type { Journal, StateRow } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';

/** Rows that are fired together; then others have their turn. */
const BATCH = 32;
/** The journal is asked at least this often: another receiver may be gone whose rows are due, and nobody says so. */
const LONGEST_SLEEP_MS = 5000;
const AFTER_ERROR_MS = 1000;
const FAR = Number.POSITIVE_INFINITY;
const KINDS = ['instance', 'key'] as const;

/** What the timers work with. */
export interface TimersParts {
  readonly journal: Pick<Journal, 'dueRows' | 'nextRowDue' | 'watch'>;
  /** Lets time have its effect on a row. */
  readonly elapsed: (row: StateRow) => Promise<void>;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly log: Log;
}

/**
 * Fires what is due, the earliest first. There is one timer for all that sleeps: when each is due stands in its row, so
 * that a million take no memory and what was due while nobody ran comes late and not never.
 */
export interface Timers {
  start(): void;
  /** Something is due at that time. */
  wake(at: number): void;
  /** Fires nothing more; resolves when what was being fired is done. */
  stop(): Promise<void>;
}

/** Makes them; they sleep until `start`. */
export function createTimers({ journal, elapsed, now, setTimer, log }: TimersParts): Timers {
  let running = false;
  let wakeAt = FAR;
  let cancel: (() => void) | undefined;
  let firing: Promise<void> | undefined;

  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (!running || firing !== undefined) return;
    const sleep = Math.min(Math.max(0, Math.ceil(wakeAt - now())), LONGEST_SLEEP_MS);
    cancel = setTimer(fire, sleep);
  }

  function fire(): void {
    cancel = undefined;
    wakeAt = FAR;
    firing = fireAll().finally(() => {
      firing = undefined;
      arm();
    });
  }

  async function fireAll(): Promise<void> {
    try {
      for (const kind of KINDS) {
        await fireKind(kind);
        wakeAt = Math.min(wakeAt, (await journal.nextRowDue(kind)) ?? FAR);
      }
    } catch (error) {
      log.error({ err: error }, 'sleeping instances cannot be woken; trying again');
      wakeAt = now() + AFTER_ERROR_MS;
    }
  }

  async function fireKind(kind: (typeof KINDS)[number]): Promise<void> {
    for (;;) {
      const began = now();
      const rows = await due(kind);
      if (rows.length === 0) return;
      await Promise.all(rows.map(elapsed));
      // As long as it took, so that half of the time is left to those who wait for an answer.
      await rest(Math.max(0, now() - began));
    }
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => void setTimer(resolve, ms));
  }

  async function due(kind: string): Promise<readonly StateRow[]> {
    return running ? journal.dueRows(kind, now(), BATCH) : [];
  }

  function wake(at: number): void {
    if (at >= wakeAt) return;
    wakeAt = at;
    arm();
  }

  journal.watch(() => wake(now()));

  return {
    start() {
      running = true;
      wakeAt = now();
      arm();
    },
    wake,
    async stop() {
      running = false;
      cancel?.();
      await firing;
    },
  };
}
