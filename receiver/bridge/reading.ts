/** One event as a backend tells it, before it is a CloudEvent of ours. */
export interface Reading {
  readonly id: string;
  /** The backend's own, without our prefix: `job.completed`. */
  readonly type: string;
  /** RFC 3339 */
  readonly time: string | undefined;
  readonly subject: string | undefined;
  /** JSON, byte for byte where the backend sent it as such. */
  readonly data: Buffer | undefined;
  /** A native envelope's `source`; undefined: the event was made of a state change. */
  readonly source: string | undefined;
  readonly extensions: Readonly<Record<string, string>>;
  readonly queue: string | undefined;
  readonly jobType: string | undefined;
  /** Of a state change: what it was, for enriching. */
  readonly change?: StateChange;
  /** How far it says that a job is. */
  readonly standing?: Standing;
  /** What its `data` lacks that its job may tell (complete.ts); left out: nothing. */
  readonly lacks?: readonly string[];
}

/** A job, what it was and became, and when. */
export type Standing = Pick<StateChange, 'jobId' | 'from' | 'to' | 'at'>;

/** What `job.state_changed` tells. */
export interface StateChange {
  readonly jobId: string;
  readonly jobType: string;
  readonly queue: string;
  /** '' where the job is new, or the backend leaves it out. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339 */
  readonly at: string;
}
