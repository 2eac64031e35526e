import type { JobReader } from './job-reader.ts';
import type { JobRecord } from './job-record.ts';

/** Reads the jobs of events, as many at once as a backend bears. */
export interface Enricher {
  /** Calls back with the job; with undefined where it cannot be read, or too many wait already. */
  ask(jobId: string, done: (job: JobRecord | undefined) => void): void;
}

const AT_ONCE = 16;
/** What waits on top of that leaves as it is: an event without details is better than one that is late or lost. */
const MOST_WAITING = 512;

/** Makes one for one backend. */
export function createEnricher(jobs: Pick<JobReader, 'job'>): Enricher {
  const waiting: (() => void)[] = [];
  let underWay = 0;

  async function start(jobId: string, done: (job: JobRecord | undefined) => void): Promise<void> {
    underWay += 1;
    const job = await jobs.job(jobId);
    underWay -= 1;
    waiting.shift()?.();
    done(job);
  }

  return {
    ask(jobId, done) {
      if (underWay < AT_ONCE) void start(jobId, done);
      else if (waiting.length < MOST_WAITING) waiting.push(() => void start(jobId, done));
      else done(undefined);
    },
  };
}
