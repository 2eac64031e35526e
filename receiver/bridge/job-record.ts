import { BrokenMessage, type Members, readMembers } from './members.ts';
import type { Details } from './normalise.ts';
import type { StateChange } from './reading.ts';

/** A job as its backend tells it when asked (OJS core, job envelope), as far as events need it. */
export interface JobRecord {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly state: string;
  readonly attempt: number | undefined;
  readonly createdAt: string | undefined;
  readonly startedAt: string | undefined;
  /** When it came to an end, if it has. */
  readonly endedAt: string | undefined;
  readonly isScheduled: boolean;
  /** JSON text. */
  readonly result: string | undefined;
  readonly error: string | undefined;
  /** What its `meta` says of where it came from (`signalbox_origin`). */
  readonly origin: string | undefined;
}

/** Reads a job: the object itself, or the `job` member of an answer. Throws BrokenMessage. */
export function readJob(json: Buffer): JobRecord {
  const outer = readMembers(json);
  const inner = outer.raw('job');
  const job = inner === undefined ? outer : readMembers(inner);
  const id = job.text('id');
  const state = job.text('state');
  if (id === undefined || state === undefined) throw new BrokenMessage('the job has no id or no state');
  const attempt = Number(job.text('attempt') ?? Number.NaN);
  return {
    id,
    state,
    type: job.text('type') ?? '',
    queue: job.text('queue') ?? 'default',
    attempt: Number.isSafeInteger(attempt) ? attempt : undefined,
    createdAt: job.text('created_at') ?? job.text('enqueued_at'),
    startedAt: job.text('started_at'),
    endedAt: END_TIMES.map((name) => job.text(name)).find((time) => time !== undefined),
    isScheduled: job.text('scheduled_at') !== undefined,
    result: job.raw('result')?.toString(),
    error: job.raw('error')?.toString() ?? lastError(job),
    origin: originIn(job),
  };
}

const END_TIMES = ['completed_at', 'cancelled_at', 'discarded_at', 'failed_at'];

function lastError(job: Members): string | undefined {
  const errors = job.raw('errors');
  if (errors === undefined) return undefined;
  const list: unknown = JSON.parse(errors.toString());
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  return last === undefined ? undefined : JSON.stringify(last);
}

function originIn(job: Members): string | undefined {
  const meta = job.raw('meta');
  return meta?.[0] === 0x7b ? readMembers(meta).text('signalbox_origin') : undefined;
}

/**
 * What a job adds to an event of its own (OJS events, job event data). Nothing where the job has moved on meanwhile:
 * what it says then is of another attempt.
 */
export function detailsOf(job: JobRecord, { to }: StateChange): (type: string) => Details {
  if (job.state !== to) return () => ({});
  const { attempt, result, error } = job;
  const duration = durationOf(job);
  return (type) => ({
    ...(duration === undefined || !ENDS.has(type) ? {} : { duration_ms: String(duration) }),
    ...(attempt === undefined ? {} : { attempt: String(attempt) }),
    ...(result === undefined || type !== 'job.completed' ? {} : { result }),
    ...(error === undefined || !FAILS.has(type) ? {} : { error }),
  });
}

const ENDS = new Set(['job.completed', 'job.failed', 'job.discarded']);
const FAILS = new Set(['job.failed', 'job.discarded', 'job.retrying']);

function durationOf({ startedAt, endedAt }: JobRecord): number | undefined {
  const ms = Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
