import type { Backlog } from './deliver/backlog.ts';
import { SLOWEST, type SlowSenders } from './http/slow-senders.ts';
import type { Journal } from './journal/journal.ts';
import type { Log } from './observe/log.ts';
import type { RefusalStore } from './observe/refusal-store.ts';

/** What a receiver does again and again, whatever comes in. */
export interface ChoreParts {
  readonly journal: Pick<Journal, 'stats' | 'prune'>;
  readonly backlog: Backlog;
  readonly slow: Pick<SlowSenders, 'sweep'>;
  readonly refusals: Pick<RefusalStore, 'write'>;
  readonly now: () => number;
  readonly log: Log;
}

const SAMPLE_EVERY_MS = 1000;
const PRUNE_EVERY_MS = 60_000;
/** What was refused in this time is lost where the process is killed. */
const WRITE_REFUSALS_EVERY_MS = 2000;

/** Begins them; ends them where it is called. What is under way then is not awaited. */
export function startChores({ journal, backlog, slow, refusals, now, log }: ChoreParts): () => void {
  const stops = [
    pruneRegularly(journal, now, log),
    regularly(slow.sweep, SLOWEST.everyMs),
    sampleRegularly(backlog, journal, now),
    regularly(() => void refusals.write(), WRITE_REFUSALS_EVERY_MS),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Tells the backlog how it stands; a journal that cannot be asked now leaves it as it was. */
function sampleRegularly(backlog: Backlog, journal: Pick<Journal, 'stats'>, now: () => number): () => void {
  let before = performance.eventLoopUtilization();
  return regularly(() => {
    const current = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(current, before);
    before = current;
    journal.stats().then(
      (stats) => backlog.sample({ backlog: stats.backlog, busy, now: now() }),
      () => undefined,
    );
  }, SAMPLE_EVERY_MS);
}

function pruneRegularly(journal: Pick<Journal, 'prune'>, now: () => number, log: Log): () => void {
  return regularly(() => {
    journal
      .prune(now())
      .catch((error: unknown) => log.warn({ error: String(error) }, 'the journal could not be pruned'));
  }, PRUNE_EVERY_MS);
}

function regularly(work: () => void, everyMs: number): () => void {
  const timer = setInterval(work, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
