import { type JobReader, PAGE_SIZE } from './job-reader.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStates } from './job-states.ts';
import { missedChanges } from './missed.ts';
import type { StateChange } from './reading.ts';

/** What reading the jobs after a gap came to. */
export interface Reconciled {
  /** Whether all that jobs tell of the gap was read. */
  readonly complete: boolean;
  /** Why it is not. */
  readonly cause?: string;
  /** The backend does not list its jobs, and never will by itself. */
  readonly missing?: boolean;
  /** Changes that nobody had told. */
  readonly found: number;
}

/** What reconciling works with. */
export interface ReconcileParts {
  readonly jobs: JobReader;
  readonly states: JobStates;
  /** A change that was missed, and the job as it is now. */
  readonly found: (change: StateChange, job: JobRecord) => void;
  /** Whether to stop. */
  readonly over: () => boolean;
}

/** Jobs of a gap are looked for among this many, newest first. */
const PAGES = 100;
/** Jobs that were under way and are not among them are asked for one by one. */
const SINGLE = 500;
const SINGLE_AT_ONCE = 8;
/** Clocks differ, and a change is told a moment after the time that it carries. */
const MARGIN_MS = 5000;

/** Reads the jobs of a backend and finds what happened to them since `since` (ms) that was not told. */
export async function reconcile(parts: ReconcileParts, since: number): Promise<Reconciled> {
  const { jobs, states, over } = parts;
  const seen = new Set<string>();
  let found = 0;

  function compare(job: JobRecord, from: number): void {
    seen.add(job.id);
    for (const change of missedChanges(job, states.get(job.id), from)) {
      found += 1;
      states.found(change, job.attempt);
      parts.found(change, job);
    }
  }

  async function list(): Promise<Omit<Reconciled, 'found'>> {
    for (let page = 1; page <= PAGES && !over(); page++) {
      const read = await jobs.page(page);
      if ('cause' in read) return { complete: false, ...read };
      // Told in the order in which they came about: the list begins with the newest.
      for (const job of read.jobs.toReversed()) compare(job, since - MARGIN_MS + read.aheadMs);
      if (read.count === 0 || page * PAGE_SIZE >= (read.total ?? Number.POSITIVE_INFINITY))
        return { complete: true };
    }
    return { complete: false, cause: `only the newest ${PAGES * PAGE_SIZE} jobs were read` };
  }

  async function single(): Promise<void> {
    const ids = states.open(SINGLE).filter((id) => !seen.has(id));
    const next = ids.values();
    await Promise.all(
      Array.from({ length: SINGLE_AT_ONCE }, async () => {
        for (const id of next) {
          if (over()) return;
          const job = await jobs.job(id);
          if (job !== undefined) compare(job, since - MARGIN_MS);
        }
      }),
    );
  }

  const listed = await list();
  if (!listed.complete) await single();
  return { ...listed, found };
}
