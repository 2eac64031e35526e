import type { Job } from '../ojs.ts';

/** Where a job is on its way (OJS core, job lifecycle). */
export type JobState =
  | 'scheduled'
  | 'available'
  | 'active'
  | 'completed'
  | 'retryable'
  | 'cancelled'
  | 'discarded';

/** A job as the backend keeps it, under the names that it has on the wire. */
export interface KeptJob {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly meta?: unknown;
  readonly max_attempts: number;
  readonly created_at: string;
  readonly enqueued_at: string;
  readonly scheduled_at?: string;
  state: JobState;
  attempt: number;
  started_at?: string;
  completed_at?: string;
  cancelled_at?: string;
  result?: unknown;
  error?: unknown;
  /** One for each attempt that failed (OJS errors, error history). */
  errors?: readonly unknown[];
}

/** A change of state, as it was. */
export interface Change {
  readonly job: KeptJob;
  /** undefined: the job is new, or was cancelled. */
  readonly from: JobState | undefined;
  readonly to: JobState;
  readonly at: string;
}

/** Jobs in memory, and what happens to them. */
export interface Jobs {
  /** Takes a job in; undefined where its queue is paused. A client's own id is overwritten, and `unique` ignored. */
  enqueue(job: Job, queue: string): KeptJob | undefined;
  get(id: string): KeptJob | undefined;
  /** Newest first. */
  list(): readonly KeptJob[];
  /** Gives jobs that wait to a worker. */
  fetch(queues: readonly string[], count: number): readonly KeptJob[];
  ack(id: string, result: unknown): KeptJob | undefined;
  /** A job that failed is retried at once, until its attempts are used up. */
  nack(id: string, error: unknown): KeptJob | undefined;
  cancel(id: string): KeptJob | undefined;
  /** Every queue that ever had a job, or was named. */
  queues(): readonly { readonly name: string; readonly paused: boolean }[];
  pause(queue: string, paused: boolean): void;
}

const MAX_ATTEMPTS = 3;

/** Makes an empty backend; `changed` is told every change of state. */
export function createJobs(parts: {
  readonly now: () => Date;
  readonly id: () => string;
  readonly changed: (change: Change) => void;
}): Jobs {
  const jobs = new Map<string, KeptJob>();
  const queues = new Map<string, boolean>();
  const waiting = new Map<string, KeptJob[]>();
  const time = (): string => parts.now().toISOString();

  function become(job: KeptJob, to: JobState, from: JobState | undefined, at: string): void {
    job.state = to;
    if (to === 'available') {
      const list = waiting.get(job.queue) ?? [];
      list.push(job);
      waiting.set(job.queue, list);
    }
    parts.changed({ job, from, to, at });
  }

  function end(id: string, to: JobState, more: Partial<KeptJob>): KeptJob | undefined {
    const job = jobs.get(id);
    if (job === undefined || job.state !== 'active') return undefined;
    const at = time();
    const { error } = more;
    if (error !== undefined) job.errors = [...(job.errors ?? []), recordOf(error, job.attempt, at)];
    Object.assign(job, more, to === 'retryable' ? {} : { completed_at: at });
    become(job, to, 'active', at);
    return job;
  }

  return {
    enqueue({ type, args, meta, options }, queue) {
      if (queues.get(queue) === true) return undefined;
      if (!queues.has(queue)) queues.set(queue, false);
      const at = time();
      const until = options?.['delay_until'] ?? options?.['scheduled_at'];
      const later = typeof until === 'string' && Date.parse(until) > parts.now().getTime();
      const retry = options?.['retry'] as { readonly max_attempts?: number } | undefined;
      const job: KeptJob = {
        id: parts.id(),
        type,
        queue,
        args,
        state: 'available',
        attempt: 0,
        ...(meta === undefined ? {} : { meta }),
        max_attempts: retry?.max_attempts ?? MAX_ATTEMPTS,
        created_at: at,
        enqueued_at: at,
        ...(later ? { scheduled_at: until } : {}),
      };
      jobs.set(job.id, job);
      become(job, later ? 'scheduled' : 'available', undefined, at);
      return job;
    },
    get: (id) => jobs.get(id),
    list: () => [...jobs.values()].toReversed(),
    fetch(names, count) {
      const due = [...jobs.values()].filter(
        ({ state, scheduled_at }) =>
          state === 'scheduled' && Date.parse(scheduled_at ?? '') <= parts.now().getTime(),
      );
      for (const job of due) become(job, 'available', 'scheduled', time());
      const given: KeptJob[] = [];
      for (const queue of names.length > 0 ? names : queues.keys()) {
        if (queues.get(queue) === true) continue;
        const list = waiting.get(queue) ?? [];
        given.push(...list.splice(0, count - given.length));
      }
      for (const job of given) {
        const at = time();
        job.attempt += 1;
        job.started_at = at;
        become(job, 'active', 'available', at);
      }
      return given;
    },
    ack: (id, result) => end(id, 'completed', result === undefined ? {} : { result }),
    nack(id, error) {
      const job = jobs.get(id);
      const spent = job !== undefined && job.attempt >= job.max_attempts;
      const ended = end(id, spent ? 'discarded' : 'retryable', { error });
      if (ended !== undefined && !spent) become(ended, 'available', 'retryable', time());
      return ended;
    },
    cancel(id) {
      const job = jobs.get(id);
      if (job === undefined || ['completed', 'discarded', 'cancelled'].includes(job.state)) return undefined;
      const list = waiting.get(job.queue);
      if (list?.includes(job) === true) list.splice(list.indexOf(job), 1);
      job.cancelled_at = time();
      // What it was before is not told.
      become(job, 'cancelled', undefined, job.cancelled_at);
      return job;
    },
    queues: () => [...queues].map(([name, paused]) => ({ name, paused })),
    pause: (queue, paused) => void queues.set(queue, paused),
  };
}

function recordOf(error: unknown, attempt: number, at: string): object {
  const told = typeof error === 'object' ? error : { message: error };
  return { ...told, attempt, occurred_at: at };
}
