import type { JobFailure, JobRecord } from './job-record.ts';
import { durationOf } from './job-record.ts';
import type { Members } from './members.ts';
import { STANDINGS } from './normalise.ts';
import type { Reading } from './reading.ts';

/** What of a job an event's `data` may lack; undefined: the job does not tell it. */
type Fact = (told: Told) => string | undefined;

/** A job, and what of it belongs to one event. */
interface Told {
  readonly job: JobRecord;
  /** It is where the event says it is: what it tells of its attempt is of the event's. */
  readonly isThere: boolean;
  /** The failure that the event tells of, where the job has kept it. */
  readonly failure: JobFailure | undefined;
}

const text = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);
const attempt: Fact = ({ job, isThere, failure }) =>
  text(failure?.attempt ?? (isThere ? job.attempt : undefined));
const error: Fact = ({ job, isThere, failure }) => failure?.error ?? (isThere ? job.error : undefined);
const duration: Fact = ({ job, isThere }) => text(isThere ? durationOf(job) : undefined);

const ANY: Readonly<Record<string, Fact>> = {
  job_type: ({ job }) => JSON.stringify(job.type),
  queue: ({ job }) => JSON.stringify(job.queue),
};

/** What an event of each type has to tell (ojs-events, 4.1), as far as a job knows it. */
const FACTS: ReadonlyMap<string, Readonly<Record<string, Fact>>> = new Map([
  ['job.enqueued', ANY],
  ['job.scheduled', ANY],
  ['job.cancelled', ANY],
  ['job.expired', ANY],
  ['job.started', { ...ANY, attempt }],
  ['job.completed', { ...ANY, duration_ms: duration, attempt }],
  ['job.failed', { ...ANY, attempt, error }],
  ['job.retrying', { ...ANY, attempt, error }],
  ['job.discarded', { ...ANY, total_attempts: attempt, last_error: error }],
]);
/** An event that no state goes with is told of a job that failed. */
const FAILED = new Set(['retryable', 'discarded']);

/** What an event's `data` lacks of what its type has to tell; `data` is undefined where there is none. */
export function lacking(type: string, data: Members | undefined): readonly string[] {
  const facts = FACTS.get(type);
  if (facts === undefined) return [];
  const names = new Set(data?.names);
  return Object.keys(facts).filter((name) => !names.has(name));
}

/** The event with what its job tells of what it lacks; every byte of its `data` stays as it came. */
export function completed(reading: Reading, job: JobRecord): Reading {
  const { type, lacks = [], data } = reading;
  const told = toldBy(reading, job);
  const more = lacks.flatMap((name) => {
    const value = FACTS.get(type)?.[name]?.(told);
    return value === undefined ? [] : [`${JSON.stringify(name)}:${value}`];
  });
  if (more.length === 0) return reading;
  const before = data?.subarray(0, -1) ?? Buffer.from('{');
  const isEmpty = before.toString('latin1').trim() === '{';
  const after = Buffer.from(`${isEmpty ? '' : ','}${more.join(',')}}`);
  return { ...reading, data: Buffer.concat([before, after]) };
}

function toldBy({ type, time, lacks = [] }: Reading, job: JobRecord): Told {
  const to = STANDINGS.get(type);
  const isThere = to === undefined ? FAILED.has(job.state) : job.state === to;
  const isFailure = FACTS.get(type)?.['error'] !== undefined && lacks.length > 0;
  return { job, isThere, failure: isFailure ? job.failures.find(({ at }) => at === time) : undefined };
}
