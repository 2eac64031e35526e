import type { JobRecord } from './job-record.ts';
import type { StateChange } from './reading.ts';

/** How far a job was known to be. */
export interface Known {
  readonly state: string;
  /** Of a job whose retries are told by number. */
  readonly attempt?: number | undefined;
}

/** How far a state is on a job's way. */
const RANKS: Readonly<Record<string, number>> = {
  scheduled: 1,
  pending: 1,
  available: 2,
  active: 3,
  retryable: 4,
  completed: 4,
  discarded: 4,
  cancelled: 4,
  expired: 4,
};
const NEW = 0;
const AVAILABLE = 2;
const FAILED_BEFORE = 2.5;
const STARTED = 3;

/** Whether a job can change no more. */
export function isOver(state: string): boolean {
  return state !== 'retryable' && (RANKS[state] ?? NEW) === 4;
}

interface Step {
  readonly rank: number;
  readonly change: StateChange;
}

/**
 * The changes of a job that nobody told, read off the job itself: from what it was known to be to what it is now. Of a
 * job that was not known, those that happened at `since` (milliseconds) or later. A job that failed and was tried again
 * several times in between tells the last of these times only: no job record has the others.
 */
export function missedChanges(
  job: JobRecord,
  known: Known | undefined,
  since: number,
): readonly StateChange[] {
  if (known !== undefined) {
    const reached = rankOf(known, job);
    return stepsOf(job, failuresBefore(known))
      .filter(({ rank }) => rank > reached)
      .map(({ change }) => change);
  }
  const isNew = !(Date.parse(job.createdAt ?? '') < since);
  const steps = stepsOf(job, isNew ? 0 : undefined);
  return steps.filter(({ change }) => !(Date.parse(change.at) < since)).map(({ change }) => change);
}

/** How far it was; one that was tried again since began anew. */
function rankOf({ state, attempt }: Known, job: JobRecord): number {
  const rank = RANKS[state] ?? NEW;
  const again =
    attempt === undefined || job.attempt === undefined
      ? state === 'retryable' && job.state !== 'retryable'
      : job.attempt > attempt || (job.state === 'available' && rank > AVAILABLE && !isOver(state));
  return again ? Math.min(rank, AVAILABLE) : rank;
}

/** How many of its attempts were known to have failed; undefined where they were not counted. */
function failuresBefore({ state, attempt }: Known): number | undefined {
  return attempt === undefined || state !== 'active' ? attempt : attempt - 1;
}

/** How many attempts have failed and were followed by another, or wait for it. */
function failuresOf({ state, attempt }: JobRecord): number {
  return attempt === undefined ? 0 : state === 'available' ? attempt : attempt - 1;
}

function stepsOf(job: JobRecord, failuresKnown: number | undefined): readonly Step[] {
  const { id, type, queue, state, createdAt, startedAt, endedAt } = job;
  const change = (from: string, to: string, at: string): StateChange => ({
    jobId: id,
    jobType: type,
    queue,
    from,
    to,
    at,
  });
  const steps: Step[] = [];
  const first = job.isScheduled ? 'scheduled' : 'available';
  if (createdAt !== undefined)
    steps.push({ rank: RANKS[first] ?? NEW, change: change('', first, createdAt) });
  const rank = RANKS[state] ?? NEW;
  // When it failed is not told any more, only when it was last begun.
  if (startedAt !== undefined && failuresKnown !== undefined && failuresOf(job) > failuresKnown)
    steps.push({ rank: FAILED_BEFORE, change: change('active', 'retryable', startedAt) });
  if (rank >= STARTED && startedAt !== undefined)
    steps.push({ rank: STARTED, change: change('available', 'active', startedAt) });
  const ended = endedAt ?? startedAt ?? createdAt;
  if (rank > STARTED && ended !== undefined) {
    // How far a cancelled job was is not told, and OJS leaves it out.
    const from = state === 'cancelled' || state === 'expired' ? '' : 'active';
    steps.push({ rank, change: change(from, state, ended) });
  }
  return steps;
}
