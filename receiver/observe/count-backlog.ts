import type { Journal, TriggerCount } from '../journal/journal.ts';
import type { Log } from './log.ts';

/** What an earlier process left, by trigger; nothing where it cannot be counted, since no delivery depends on it. */
export async function countBacklog(
  journal: Pick<Journal, 'countUndone'>,
  log: Pick<Log, 'warn'>,
): Promise<readonly TriggerCount[]> {
  try {
    return await journal.countUndone();
  } catch (error) {
    log.warn({ error: String(error) }, 'the backlog of each trigger is not known in full');
    return [];
  }
}
