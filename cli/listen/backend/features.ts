/** What a backend has: real ones differ. */
export interface Features {
  /** `GET /ojs/v1/events/stream`: one stream of event envelopes. */
  readonly stream: boolean;
  /** `GET /ojs/v1/queues/{name}/events`: a stream of state changes for each queue. */
  readonly queues: boolean;
  /** `GET /ojs/v1/jobs/{id}/events`: the same for each job. */
  readonly jobs: boolean;
  /** `GET /ojs/v1/ws`: a WebSocket of state changes. */
  readonly websocket: boolean;
  /** The WebSocket has the channel `events`, too: envelopes. */
  readonly channel: boolean;
  /** `GET /ojs/v1/events?after=`: pages of envelopes. */
  readonly events: boolean;
  /** The same path is a stream of pings instead. */
  readonly pings: boolean;
  /** `GET /ojs/v1/admin/jobs`: the jobs. */
  readonly list: boolean;
}

/** The names of all features. */
export const FEATURES = [
  'stream',
  'queues',
  'jobs',
  'websocket',
  'channel',
  'events',
  'pings',
  'list',
] as const;

/** What most real backends have. */
export const USUAL: readonly (keyof Features)[] = ['queues', 'jobs', 'websocket', 'list'];

/** The features of that name, and no others. */
export function featuresOf(names: readonly (keyof Features)[]): Features {
  const has = (name: keyof Features): boolean => names.includes(name);
  return {
    stream: has('stream'),
    queues: has('queues'),
    jobs: has('jobs'),
    websocket: has('websocket'),
    channel: has('channel'),
    events: has('events'),
    pings: has('pings'),
    list: has('list'),
  };
}
