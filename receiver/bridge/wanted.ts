import type { BridgeEntry } from '../routing/table.ts';
import { compileGlobs } from './glob.ts';
import type { Reading } from './reading.ts';

/** Whether a bridge takes an event of its backend: by type, queue and job type. */
export type Wanted = (event: Reading) => boolean;

/**
 * Compiles `filters`, `queues` and `jobTypes`. An event that tells no queue or job type (a worker's, a workflow's) is
 * judged by its type alone.
 */
export function compileWanted({ filters, source }: BridgeEntry): Wanted {
  const fits = compileGlobs(filters);
  const queues = new Set(source.queues);
  const jobTypes = new Set(source.jobTypes);
  const allowed = (set: ReadonlySet<string>, name: string | undefined): boolean =>
    set.size === 0 || name === undefined || set.has(name);
  return ({ type, queue, jobType }) => fits(type) && allowed(queues, queue) && allowed(jobTypes, jobType);
}
