import type { Journal } from '../journal/journal.ts';
import type { Log } from './log.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

/** A count goes over all that is undone: it is made no more often, in milliseconds. */
const RECOUNT_MS = 10_000;

/** What a recount needs. */
export interface RecountParts {
  readonly journal: Pick<Journal, 'countUndone'>;
  readonly backlog: Pick<TriggerBacklog, 'recounted'>;
  readonly log: Pick<Log, 'warn'>;
  readonly now: () => number;
}

/**
 * Has the backlog of each trigger follow a journal that other receivers write too: to be called when it is asked for.
 * While the journal cannot be asked the last count stands.
 */
export function createRecount({ journal, backlog, log, now }: RecountParts): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - last < RECOUNT_MS) return;
    last = now();
    try {
      backlog.recounted(await journal.countUndone());
    } catch (error) {
      log.warn({ error: String(error) }, 'the backlog of each trigger could not be counted anew');
    }
  };
}
