import type { ClaimedDelivery, Journal } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { SetTimer } from './outbound.ts';

/** How many deliveries one read takes at most, and how much of their data. */
const BATCH = 256;
const BATCH_BYTES = 4 * 1024 * 1024;
/** The journal is asked at least this often: deliveries may become due that this process knows nothing of. */
const LONGEST_SLEEP_MS = 5000;
const AFTER_ERROR_MS = 1000;
/** After a read that found nothing: what is due but was settled a moment ago may not be written yet. */
const PAUSE_MS = 20;
const FAR = Number.POSITIVE_INFINITY;

/** What the loop works with. */
export interface ClaimsParts {
  readonly journal: Pick<Journal, 'claim' | 'nextDue'>;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly log: Log;
  /** How many deliveries memory takes now; 0: none. */
  readonly room: () => number;
  /** Triggers of which memory has enough. Where one has room again, that is told with `wake`. */
  readonly leaveOut: () => readonly string[];
  readonly take: (deliveries: readonly ClaimedDelivery[]) => void | Promise<void>;
}

/** Reads deliveries back from the journal when they are due and there is room for them. */
export interface Claims {
  start(): void;
  /** Something is due at `at`. */
  wake(at: number): void;
  /** Memory has room again. */
  freed(): void;
  /** Takes no more; resolves when what was being read has been handed over. */
  stop(): Promise<void>;
}

/** Makes the loop; it sleeps until `start`. */
export function createClaims(parts: ClaimsParts): Claims {
  const { journal, now, setTimer, log, room, leaveOut, take } = parts;
  let running = false;
  let wakeAt = FAR;
  let cancel: (() => void) | undefined;
  let waitsForRoom = false;
  let reading: Promise<void> | undefined;

  function wake(at: number): void {
    if (at >= wakeAt) return;
    wakeAt = at;
    arm();
  }

  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (!running || reading !== undefined) return;
    const sleep = Math.min(Math.max(0, Math.ceil(wakeAt - now())), LONGEST_SLEEP_MS);
    cancel = setTimer(read, sleep);
  }

  function read(): void {
    cancel = undefined;
    if (!running || reading !== undefined) return;
    const limit = Math.min(room(), BATCH);
    waitsForRoom = limit <= 0;
    if (waitsForRoom) return;
    wakeAt = FAR;
    reading = readOnce(limit).finally(() => {
      reading = undefined;
      arm();
    });
  }

  async function readOnce(limit: number): Promise<void> {
    try {
      const except = leaveOut();
      const deliveries = await journal.claim(now(), limit, BATCH_BYTES, except);
      await take(deliveries);
      // A batch that came back short of its limit may have been cut by its bytes: an empty one is the end.
      const next =
        deliveries.length > 0 ? now() : Math.max((await journal.nextDue(except)) ?? FAR, now() + PAUSE_MS);
      wakeAt = Math.min(wakeAt, next);
    } catch (error) {
      log.error({ err: error }, 'due deliveries cannot be read from the journal; trying again');
      wakeAt = now() + AFTER_ERROR_MS;
    }
  }

  return {
    start() {
      running = true;
      wakeAt = now();
      arm();
    },
    wake,
    freed() {
      if (!waitsForRoom) return;
      waitsForRoom = false;
      wakeAt = now();
      arm();
    },
    async stop() {
      running = false;
      cancel?.();
      cancel = undefined;
      await reading;
    },
  };
}
