import { isAllowedText } from '../event/validate.ts';
import { rfc3339Text } from '../verify/timestamp.ts';
import { BrokenMessage, itemsOf, type Members, readMembers } from './members.ts';
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
  /** Its failures that tell when they were, oldest first (OJS errors, error history). */
  readonly failures: readonly JobFailure[];
  /** What its `meta` says of where it came from (`signalbox_origin`). */
  readonly origin: string | undefined;
}

/** One attempt of a job that failed. */
export interface JobFailure {
  /** RFC 3339 */
  readonly at: string;
  readonly attempt: number | undefined;
  /** JSON text. */
  readonly error: string;
}

/** Reads a job: the object itself, or the `job` member of an answer. Throws BrokenMessage. */
export function readJob(json: Buffer): JobRecord {
  const outer = readMembers(json);
  const inner = outer.raw('job');
  const job = inner === undefined ? outer : readMembers(inner);
  const id = job.text('id');
  const state = job.text('state');
  if (id === undefined || state === undefined) throw new BrokenMessage('the job has no id or no state');
  if (!isAllowedText(id))
    throw new BrokenMessage('the id of the job holds a character that CloudEvents does not allow');
  const errors = listOf(job, 'errors');
  return {
    id,
    state,
    type: job.text('type') ?? '',
    queue: job.text('queue') ?? 'default',
    attempt: countOf(job.text('attempt')),
    createdAt: timeOf(job, 'created_at') ?? timeOf(job, 'enqueued_at'),
    startedAt: timeOf(job, 'started_at'),
    endedAt: END_TIMES.map((name) => timeOf(job, name)).find((time) => time !== undefined),
    isScheduled: job.text('scheduled_at') !== undefined,
    result: job.raw('result')?.toString(),
    error: job.raw('error')?.toString() ?? errors.at(-1)?.toString(),
    failures: errors.flatMap((error) => failureOf(error) ?? []),
    origin: originIn(job),
  };
}

const END_TIMES = ['completed_at', 'cancelled_at', 'discarded_at', 'failed_at'];

/** A time that is none counts as not told. */
function timeOf(job: Members, name: string): string | undefined {
  return rfc3339Text(job.text(name));
}

function countOf(text: string | undefined): number | undefined {
  const count = Number(text ?? Number.NaN);
  return Number.isSafeInteger(count) ? count : undefined;
}

function listOf(job: Members, name: string): readonly Buffer[] {
  const list = job.raw(name);
  return list?.[0] === 0x5b ? itemsOf(list) : [];
}

/** Some backends keep errors without the times: then it is not known which failures were told. */
function failureOf(error: Buffer): JobFailure | undefined {
  if (error[0] !== 0x7b) return undefined;
  const members = readMembers(error);
  const at = timeOf(members, 'occurred_at');
  if (at === undefined) return undefined;
  return { at, attempt: countOf(members.text('attempt')), error: error.toString() };
}

function originIn(job: Members): string | undefined {
  const meta = job.raw('meta');
  return meta?.[0] === 0x7b ? readMembers(meta).text('signalbox_origin') : undefined;
}

/**
 * What a job adds to an event of its own (OJS events, job event data). Nothing where the job has moved on meanwhile:
 * what it says then is of another attempt.
 */
export function detailsOf(
  job: JobRecord,
  { to, at }: Pick<StateChange, 'to' | 'at'>,
): (type: string) => Details {
  const failure = to === 'retryable' ? job.failures.find((one) => one.at === at) : undefined;
  if (failure !== undefined && failure !== job.failures.at(-1)) return () => detailsOfFailure(failure);
  if (job.state !== to) return () => (failure === undefined ? {} : detailsOfFailure(failure));
  const { attempt, result, error } = job;
  const duration = durationOf(job);
  return (type) => ({
    ...(duration === undefined || !ENDS.has(type) ? {} : { duration_ms: String(duration) }),
    ...(attempt === undefined ? {} : { attempt: String(attempt) }),
    ...(result === undefined || type !== 'job.completed' ? {} : { result }),
    ...(error === undefined || !FAILS.has(type) ? {} : { error }),
  });
}

function detailsOfFailure({ attempt, error }: JobFailure): Details {
  return { ...(attempt === undefined ? {} : { attempt: String(attempt) }), error };
}

const ENDS = new Set(['job.completed', 'job.failed', 'job.discarded']);
const FAILS = new Set(['job.failed', 'job.discarded', 'job.retrying']);

/** Milliseconds from the beginning of its last attempt to its end. */
export function durationOf({ startedAt, endedAt }: JobRecord): number | undefined {
  const ms = Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}
