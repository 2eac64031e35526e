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
 * more than once in between tells only the last time.
 */
export function missedChanges(job: JobRecord, known: Known | undefined, since: number): readonly StateChange[] {
  const steps = stepsOf(job);
  if (known === undefined) {
    return steps.filter(({ change }) => !(Date.parse(change.at) < since)).map(({ change }) => change);
  }
  const reached = rankOf(known, job);
  return steps.filter(({ rank }) => rank > reached).map(({ change }) => change);
}

/** How far it was; a job that failed then and was tried again since began anew. */
function rankOf({ state, attempt }: Known, job: JobRecord): number {
  const rank = RANKS[state] ?? NEW;
  if (state !== 'retryable') return rank;
  const triedAgain = attempt === undefined ? job.state !== 'retryable' : (job.attempt ?? 0) > attempt;
  return triedAgain ? (RANKS['available'] ?? NEW) : rank;
}

function stepsOf(job: JobRecord): readonly Step[] {
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
  if (createdAt !== undefined) steps.push({ rank: RANKS[first] ?? NEW, change: change('', first, createdAt) });
  const rank = RANKS[state] ?? NEW;
  const started = rank >= STARTED && startedAt !== undefined;
  if (started) steps.push({ rank: STARTED, change: change('available', 'active', startedAt) });
  const ended = endedAt ?? startedAt ?? createdAt;
  if (rank > STARTED && ended !== undefined) {
    // How far a cancelled job was is not told, and OJS leaves it out.
    const from = state === 'cancelled' || state === 'expired' ? '' : 'active';
    steps.push({ rank, change: change(from, state, ended) });
  }
  return steps;
}
