import { setTimeout as pause } from 'node:timers/promises';
import type { Journal } from '../journal/journal.ts';
import type { Log } from './log.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

const STATES = ['waiting', 'parked'] as const;
const PAGE = 1000;
/** Between two pages, so that a large backlog takes no more of the journal's time than it can spare. */
const PAUSE_MS = 10;

/**
 * Begins to count what an earlier process left; resolves as soon as what comes from now on can be told from it, the rest
 * goes on until it is done or `signal` ends it.
 */
export async function countBacklog(
  journal: Pick<Journal, 'deliveries' | 'stats'>,
  backlog: TriggerBacklog,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Pick<Log, 'warn'> },
): Promise<void> {
  if ((await journal.stats()).backlog === 0) return;
  const newest = (await journal.deliveries({ limit: 1 })).items[0]?.id ?? 0;
  backlog.countUpTo(newest);
  countAll(journal, backlog, signal).catch((error: unknown) => {
    if (!signal.aborted)
      log.warn({ error: String(error) }, 'the backlog of each trigger is not known in full');
  });
}

async function countAll(
  journal: Pick<Journal, 'deliveries'>,
  backlog: TriggerBacklog,
  signal: AbortSignal,
): Promise<void> {
  for (const state of STATES) {
    let cursor: string | undefined;
    do {
      const page = await journal.deliveries({
        state,
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      backlog.found(page.items);
      cursor = page.next;
      await pause(PAUSE_MS, undefined, { signal, ref: false });
    } while (cursor !== undefined);
  }
}
