import { hash } from 'node:crypto';
import type { Reading, StateChange } from './reading.ts';

/** What a change of state means, by what the job was and what it became; '' is a job that is new. */
const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  ' available': ['job.enqueued'],
  ' scheduled': ['job.scheduled'],
  'available active': ['job.started'],
  'active completed': ['job.completed'],
  'active retryable': ['job.failed', 'job.retrying'],
  'active discarded': ['job.failed', 'job.discarded'],
  // A backend that leaves `from` out, or tells a job's present state twice, means the change that leads there.
  ' active': ['job.started'],
  ' completed': ['job.completed'],
  ' retryable': ['job.failed', 'job.retrying'],
  ' discarded': ['job.failed', 'job.discarded'],
};
/** Whatever it was before. */
const ENDINGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['cancelled', ['job.cancelled']],
  ['expired', ['job.expired']],
]);
/** A change that the vocabulary has no word for is told as what it is. */
const OTHER = ['job.state_changed'];

/** The event types that a change of state is in OJS's vocabulary: one, or two where a job failed. */
export function meaningsOf({ from, to }: Pick<StateChange, 'from' | 'to'>): readonly string[] {
  const known = from === to ? '' : from;
  return ENDINGS.get(to) ?? MEANINGS[`${known} ${to}`] ?? OTHER;
}

/** What a job is once an event of this type has happened to it; none says it of `job.failed`, which another follows. */
export const STANDINGS: ReadonlyMap<string, string> = new Map([
  ['job.scheduled', 'scheduled'],
  ['job.enqueued', 'available'],
  ['job.started', 'active'],
  ['job.retrying', 'retryable'],
  ['job.completed', 'completed'],
  ['job.discarded', 'discarded'],
  ['job.cancelled', 'cancelled'],
  ['job.expired', 'expired'],
]);

/** What enrichment brought: members of `data` by name, each JSON text. */
export type Details = Readonly<Record<string, string>>;

/** The events that a change of state is. Their ids are the same however often, and wherever, the change is read. */
export function normalise(
  change: StateChange,
  details: (type: string) => Details = () => ({}),
): readonly Reading[] {
  return meaningsOf(change).map((type) => ({
    id: changeId(change, type),
    type,
    time: change.at,
    subject: change.jobId,
    data: dataOf(change, details(type)),
    source: undefined,
    extensions: {},
    queue: change.queue,
    jobType: change.jobType,
    change,
    standing: change,
  }));
}

/** 128 bits as hex. */
const DIGITS = 32;

function changeId({ jobId, from, to, at }: StateChange, type: string): string {
  return `evt_${hash('sha256', [jobId, from, to, at, type].join('\n'), 'hex').slice(0, DIGITS)}`;
}

function dataOf({ jobType, queue, from, to }: StateChange, details: Details): Buffer {
  let json = `{"job_type":${JSON.stringify(jobType)},"queue":${JSON.stringify(queue)}`;
  if (from !== '') json += `,"from":${JSON.stringify(from)}`;
  json += `,"to":${JSON.stringify(to)}`;
  for (const [name, value] of Object.entries(details)) json += `,${JSON.stringify(name)}:${value}`;
  return Buffer.from(`${json}}`);
}
