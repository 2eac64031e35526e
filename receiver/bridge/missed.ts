import type { JobRecord } from './job-record.ts';
import type { StateChange } from './reading.ts';

/** How far a job was known to be. */
export interface Known {
  readonly state: string;
  /** Of a job whose retries are told by number. */
  readonly attempt?: number | undefined;
}

/** How far a state is on a job's way. */
const RANKS: ReadonlyMap<string, number> = new Map([
  ['scheduled', 1],
  ['pending', 1],
  ['available', 2],
  ['active', 3],
  ['retryable', 4],
  ['completed', 4],
  ['discarded', 4],
  ['cancelled', 4],
  ['expired', 4],
]);
const NEW = 0;
const AVAILABLE = 2;
const FAILED_BEFORE = 2.5;
const STARTED = 3;

/** Whether a job can change no more. */
export function isOver(state: string): boolean {
  return state !== 'retryable' && (RANKS.get(state) ?? NEW) === 4;
}

interface Step {
  readonly rank: number;
  readonly change: StateChange;
}

/**
 * The changes of a job that nobody told, read off the job itself: from what it was known to be to what it is now. Of a
 * job that was not known, those that happened at `since` (milliseconds) or later. A job that failed and was tried again
 * several times in between tells each failure whose time its record has; where it has none, the last one.
 */
export function missedChanges(
  job: JobRecord,
  known: Known | undefined,
  since: number,
): readonly StateChange[] {
  if (known !== undefined) {
    const reached = rankOf(known, job);
    return stepsOf(job, failuresBefore(known), since)
      .filter(({ rank }) => rank > reached)
      .map(({ change }) => change);
  }
  const isNew = !(Date.parse(job.createdAt ?? '') < since);
  const steps = stepsOf(job, isNew ? 0 : undefined, since);
  return steps.filter(({ change }) => !(Date.parse(change.at) < since)).map(({ change }) => change);
}

/** How far it was; one that was tried again since began anew. */
function rankOf({ state, attempt }: Known, job: JobRecord): number {
  const rank = RANKS.get(state) ?? NEW;
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

function stepsOf(job: JobRecord, failuresKnown: number | undefined, since: number): readonly Step[] {
  return [begun(job), ...failedBefore(job, failuresKnown, since), started(job), ended(job)].filter(
    (step) => step !== undefined,
  );
}

function stepOf(
  { id, type, queue }: JobRecord,
  rank: number,
  change: Pick<StateChange, 'from' | 'to' | 'at'>,
): Step {
  return { rank, change: { jobId: id, jobType: type, queue, ...change } };
}

function begun(job: JobRecord): Step | undefined {
  const to = job.isScheduled ? 'scheduled' : 'available';
  return job.createdAt === undefined
    ? undefined
    : stepOf(job, RANKS.get(to) ?? NEW, { from: '', to, at: job.createdAt });
}

/** Failures that were followed by another attempt: by their number where that is known, else by their time. */
function failedBefore(job: JobRecord, known: number | undefined, since: number): readonly Step[] {
  const { failures, state, startedAt } = job;
  const before = state === 'retryable' || state === 'discarded' ? failures.slice(0, -1) : failures;
  const more = known === undefined ? undefined : Math.max(0, failuresOf(job) - known);
  const missed =
    more === undefined
      ? before.filter(({ at }) => !(Date.parse(at) < since))
      : before.slice(Math.max(0, before.length - more));
  // Without their times, all that is known is when the attempt after the last of them began.
  const times =
    missed.length === 0 && more !== undefined && more > 0 && startedAt !== undefined
      ? [startedAt]
      : missed.map(({ at }) => at);
  return times.map((at) => stepOf(job, FAILED_BEFORE, { from: 'active', to: 'retryable', at }));
}

function started(job: JobRecord): Step | undefined {
  const isStarted = (RANKS.get(job.state) ?? NEW) >= STARTED && job.startedAt !== undefined;
  return isStarted ? stepOf(job, STARTED, { from: 'available', to: 'active', at: job.startedAt }) : undefined;
}

function ended(job: JobRecord): Step | undefined {
  const { state } = job;
  const rank = RANKS.get(state) ?? NEW;
  const at =
    job.endedAt ?? (isOver(state) ? undefined : job.failures.at(-1)?.at) ?? job.startedAt ?? job.createdAt;
  if (rank <= STARTED || at === undefined) return undefined;
  // How far a cancelled job was is not told, and OJS leaves it out.
  const from = state === 'cancelled' || state === 'expired' ? '' : 'active';
  return stepOf(job, rank, { from, to: state, at });
}
