import type { CloudEvent } from '../event/event.ts';
import { isPlainObject } from '../expression/json-value.ts';

/** What an event of an EventBridge says of the job that is its subject. */
export type JobOutcome = 'completed' | 'failed' | undefined;

const TYPE = /(?:^|\.)job\.(completed|failed|discarded|cancelled|expired)$/;

/**
 * Reads a job's end. `job.failed` is one only where its data says that the backend will not retry: it is followed by
 * `job.retrying` or `job.discarded` otherwise. The prefix of the type is the bridge's own and does not count.
 */
export function jobOutcome(event: CloudEvent): JobOutcome {
  const what = TYPE.exec(event.type)?.[1];
  if (what === undefined) return undefined;
  if (what === 'completed') return 'completed';
  return what !== 'failed' || isLast(event.data) ? 'failed' : undefined;
}

/** The job's id, where the event tells of a job's end. */
export function endedJob(event: CloudEvent): string | undefined {
  return jobOutcome(event) === undefined ? undefined : event.attributes['subject'];
}

function isLast(data: unknown): boolean {
  if (!isPlainObject(data)) return false;
  if (data['will_retry'] === false || data['retryable'] === false || data['to'] === 'discarded') return true;
  const { attempt, max_attempts: most } = data;
  return typeof attempt === 'number' && typeof most === 'number' && attempt >= most;
}
