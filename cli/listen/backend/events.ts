import type { Change, KeptJob } from './jobs.ts';

/** What a live subscriber gets: `job.state_changed`, as real backends stream it. */
export interface StateReport {
  readonly event: 'job.state_changed';
  readonly job_id: string;
  readonly queue: string;
  readonly type: string;
  readonly from?: string;
  readonly to: string;
  readonly timestamp: string;
}

/** The report of a change. */
export function reportOf({ job, from, to, at }: Change): StateReport {
  return {
    event: 'job.state_changed',
    job_id: job.id,
    queue: job.queue,
    type: job.type,
    ...(from === undefined ? {} : { from }),
    to,
    timestamp: at,
  };
}

/** An event envelope (ojs-events). */
export interface Envelope {
  readonly specversion: '1.0';
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const SOURCE = 'ojs://signalbox-listen';

/** The envelopes of a change: one, or two where a job failed; none for a retry that becomes due. */
export function envelopesOf(change: Change, id: () => string): readonly Envelope[] {
  return typesOf(change).map((type) => ({
    specversion: '1.0',
    id: `evt_${id()}`,
    type,
    source: SOURCE,
    time: change.at,
    subject: change.job.id,
    data: dataOf(change.job, type),
  }));
}

function typesOf({ from, to }: Change): readonly string[] {
  const enqueued = from === undefined || from === 'scheduled' ? ['job.enqueued'] : [];
  const types: Readonly<Record<Change['to'], readonly string[]>> = {
    scheduled: ['job.scheduled'],
    available: enqueued,
    active: ['job.started'],
    completed: ['job.completed'],
    retryable: ['job.failed', 'job.retrying'],
    discarded: ['job.failed', 'job.discarded'],
    cancelled: ['job.cancelled'],
  };
  return types[to];
}

function dataOf(job: KeptJob, type: string): Readonly<Record<string, unknown>> {
  const data: Record<string, unknown> = { job_type: job.type, queue: job.queue };
  if (job.started_at !== undefined && job.completed_at !== undefined)
    data['duration_ms'] = Date.parse(job.completed_at) - Date.parse(job.started_at);
  if (job.attempt > 0) data['attempt'] = job.attempt;
  if (type === 'job.completed' && job.result !== undefined) data['result'] = job.result;
  if (type === 'job.failed' && job.error !== undefined) data['error'] = job.error;
  return data;
}
