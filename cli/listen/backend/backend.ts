import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { enqueue, JOBS_PATH, queueOf } from '../ojs.ts';
import { type Envelope, envelopesOf, reportOf, type StateReport } from './events.ts';
import type { Features } from './features.ts';
import { type Change, createJobs, type Jobs, type KeptJob } from './jobs.ts';
import { openStream } from './stream.ts';
import { createSubscribers } from './subscribers.ts';
import { openWebSocket } from './web-socket.ts';

/** How a backend is to behave. */
export interface BackendOptions {
  readonly features: Features;
  /** Streams are cut after so long, as a server's write timeout does; 0: never. */
  readonly cutMs: number;
  /** Every so manieth live message is dropped; 0: none. */
  readonly dropEvery: number;
  /** Wanted as `Authorization: Bearer`; left out: anyone may ask. */
  readonly token?: string;
  readonly now: () => Date;
  readonly id: () => string;
  /** Told of each change of state, and of its envelopes. */
  readonly told?: (change: Change, envelopes: readonly Envelope[]) => void;
}

/** An Open Job Spec backend in memory, with the dialects and defects of real ones. */
export interface Backend {
  readonly jobs: Jobs;
  /** Every envelope so far, in order. */
  readonly log: Envelope[];
  /** Answers a request below `/ojs/`; the body is read. */
  handle(request: IncomingMessage, response: ServerResponse, body: Buffer): void;
  /** Takes over a connection that asks for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex): void;
  /** Live connections. */
  readonly listeners: number;
  /** Cuts all of them. */
  cut(): void;
  close(): void;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly query: URLSearchParams;
  readonly name: string;
}

type Handler = (asked: Asked) => void;

interface Endpoint {
  readonly method: string;
  /** Its one group is the name in the path. */
  readonly path: RegExp;
  readonly needs?: keyof Features;
  readonly handle: Handler;
}

const PING_MS = 1000;

/** Makes a backend without jobs. */
export function createBackend(options: BackendOptions): Backend {
  const { features, cutMs, id } = options;
  const log: Envelope[] = [];
  const reports = createSubscribers(options.dropEvery);
  const envelopes = createSubscribers(options.dropEvery);
  const live = new Set<() => void>();
  // Ids of live messages are counters of the process: they say nothing of the event, and begin anew.
  let sseIds = 0;
  let socketIds = 0;

  const jobs = createJobs({ now: options.now, id, changed });

  function changed(change: Change): void {
    const report = reportOf(change);
    const made = envelopesOf(change, id);
    log.push(...made);
    reports.publish(report, JSON.stringify(report));
    for (const envelope of made) envelopes.publish(report, JSON.stringify(envelope));
    options.told?.(change, made);
  }

  function kept(close: () => void): () => void {
    live.add(close);
    return () => void live.delete(close);
  }

  function stream(
    response: ServerResponse,
    from: typeof reports,
    wants: (report: Named) => boolean,
    now?: string,
  ): void {
    openStream(
      response,
      { cutMs, kept, nextId: () => (sseIds += 1), subscribe: (one) => from.add({ ...one, wants }) },
      now,
    );
  }

  const endpoints: readonly Endpoint[] = [
    { method: 'POST', path: /^\/ojs\/v1\/jobs$/, handle: take },
    { method: 'GET', path: /^\/ojs\/v1\/jobs\/([^/]+)$/, handle: one((job) => ({ job })) },
    { method: 'DELETE', path: /^\/ojs\/v1\/jobs\/([^/]+)$/, handle: act((name) => jobs.cancel(name)) },
    {
      method: 'GET',
      path: /^\/ojs\/v1\/jobs\/([^/]+)\/events$/,
      needs: 'jobs',
      handle: ({ response, name }) => {
        const job = jobs.get(name);
        if (job === undefined) notFound(response);
        else stream(response, reports, ({ job_id }) => job_id === name, ended(job));
      },
    },
    {
      method: 'GET',
      path: /^\/ojs\/v1\/queues\/([^/]+)\/events$/,
      needs: 'queues',
      handle: ({ response, name }) => {
        if (!jobs.queues().some((queue) => queue.name === name)) notFound(response);
        else stream(response, reports, ({ queue }) => queue === name);
      },
    },
    {
      method: 'GET',
      path: /^\/ojs\/v1\/events\/stream$/,
      needs: 'stream',
      handle: ({ response }) => stream(response, envelopes, () => true),
    },
    { method: 'GET', path: /^\/ojs\/v1\/events$/, needs: 'pings', handle: ({ response }) => pings(response) },
    { method: 'GET', path: /^\/ojs\/v1\/events$/, needs: 'events', handle: page },
    { method: 'GET', path: /^\/ojs\/v1\/admin\/jobs$/, needs: 'list', handle: list },
    {
      method: 'GET',
      path: /^\/ojs\/v1\/queues$/,
      handle: ({ response }) =>
        answer(response, 200, {
          queues: jobs.queues().map(({ name, paused }) => ({ name, status: paused ? 'paused' : 'active' })),
        }),
    },
    { method: 'POST', path: /^\/ojs\/v1\/queues\/([^/]+)\/pause$/, handle: pause(true) },
    { method: 'POST', path: /^\/ojs\/v1\/queues\/([^/]+)\/resume$/, handle: pause(false) },
    { method: 'POST', path: /^\/ojs\/v1\/workers\/fetch$/, handle: fetchJobs },
    {
      method: 'POST',
      path: /^\/ojs\/v1\/workers\/ack$/,
      handle: finish((it) => jobs.ack(it.job_id, it.result)),
    },
    {
      method: 'POST',
      path: /^\/ojs\/v1\/workers\/nack$/,
      handle: finish((it) => jobs.nack(it.job_id, it.error)),
    },
  ];

  function take({ request, response, body }: Asked): void {
    const { status, body: told, job } = enqueue(request.headers, body, '');
    if (job === undefined) {
      answer(response, status, told);
      return;
    }
    const queue = queueOf(job);
    const made = jobs.enqueue(job, queue);
    if (made === undefined) {
      const message = `Queue '${queue}' is paused.`;
      answer(response, 409, { error: { code: 'queue_paused', message, retryable: true } });
      return;
    }
    response.setHeader('location', `${JOBS_PATH}/${made.id}`);
    answer(response, 201, { job: made });
  }

  function one(shape: (job: KeptJob) => object): Handler {
    return ({ response, name }) => {
      const job = jobs.get(name);
      if (job === undefined) notFound(response);
      else answer(response, 200, shape(job));
    };
  }

  function act(work: (name: string) => KeptJob | undefined): Handler {
    return ({ response, name }) => {
      const job = work(name);
      if (job === undefined) notFound(response);
      else answer(response, 200, { job });
    };
  }

  function page({ response, query }: Asked): void {
    const after = query.get('after');
    const from = after === null ? 0 : Number(after);
    if (!Number.isSafeInteger(from) || from < 0 || from > log.length) {
      answer(response, 400, {
        error: { code: 'invalid_request', message: 'unknown cursor', retryable: false },
      });
      return;
    }
    const end = Math.min(log.length, from + Math.min(Number(query.get('limit') ?? 100), 1000));
    answer(response, 200, { events: log.slice(from, end), cursor: String(end), has_more: end < log.length });
  }

  function list({ response, query }: Asked): void {
    const asked = Number(query.get('per_page') ?? 25);
    const perPage = asked >= 1 && asked <= 100 ? asked : 25;
    const number = Math.max(1, Number(query.get('page') ?? 1));
    const fits = jobs
      .list()
      .filter(
        ({ queue, state }) =>
          (query.get('queue') ?? queue) === queue && (query.get('state') ?? state) === state,
      );
    answer(response, 200, {
      items: fits.slice((number - 1) * perPage, number * perPage),
      pagination: { total: fits.length, page: number, per_page: perPage },
    });
  }

  function pause(paused: boolean): Handler {
    return ({ response, name }) => {
      jobs.pause(name, paused);
      answer(response, 200, { queue: { name, status: paused ? 'paused' : 'active' } });
    };
  }

  function fetchJobs({ response, body }: Asked): void {
    const { queues = [], count = 1 } = parsed(body) as { queues?: readonly string[]; count?: number };
    answer(response, 200, { jobs: jobs.fetch(queues, count) });
  }

  function finish(work: (told: Finished) => KeptJob | undefined): Handler {
    return ({ response, body }) => {
      const job = work(parsed(body) as Finished);
      if (job === undefined) notFound(response);
      else answer(response, 200, { acknowledged: true, job });
    };
  }

  function pings(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': ok\n\n');
    const timer = setInterval(() => response.write('event: ping\ndata: {}\n\n'), PING_MS);
    const forget = kept(() => response.destroy());
    response.on('close', () => {
      clearInterval(timer);
      forget();
    });
  }

  return {
    jobs,
    log,
    handle(request, response, body) {
      const url = new URL(request.url ?? '/', 'http://backend');
      response.setHeader('ojs-version', '1.0.0-rc.1');
      const requestId = request.headers['x-request-id'];
      if (requestId !== undefined) response.setHeader('x-request-id', requestId);
      if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
        answer(response, 401, {
          error: { code: 'unauthorized', message: 'a bearer token is wanted', retryable: false },
        });
        return;
      }
      for (const { method, path, needs, handle } of endpoints) {
        const match = method === request.method ? path.exec(url.pathname) : null;
        if (match === null || (needs !== undefined && !features[needs])) continue;
        handle({
          request,
          response,
          body,
          query: url.searchParams,
          name: decodeURIComponent(match[1] ?? ''),
        });
        return;
      }
      notFound(response);
    },
    upgrade(request, socket) {
      const allowed =
        options.token === undefined || request.headers.authorization === `Bearer ${options.token}`;
      if (!features.websocket || !allowed || !(request.url ?? '').startsWith('/ojs/v1/ws')) {
        socket.end(
          `HTTP/1.1 ${allowed ? '404 Not Found' : '401 Unauthorized'}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        );
        return;
      }
      openWebSocket(request, socket, {
        kept,
        nextId: () => (socketIds += 1),
        subscribe: (channel, subscriber) => {
          if (channel === 'events')
            return features.channel ? envelopes.add({ ...subscriber, wants: () => true }) : undefined;
          const wants = wantsOf(channel);
          return wants && reports.add({ ...subscriber, wants });
        },
      });
    },
    get listeners() {
      return live.size;
    },
    cut() {
      // A cut takes itself off the list.
      for (const one of live) one();
    },
    close() {
      for (const one of live) one();
    },
  };
}

type Named = Pick<StateReport, 'job_id' | 'queue'>;

interface Finished {
  readonly job_id: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

function wantsOf(channel: string): ((report: Named) => boolean) | undefined {
  if (channel === 'all') return () => true;
  const [kind, name] = channel.split(/:(.*)/s);
  if (kind === 'queue') return ({ queue }) => queue === name;
  return kind === 'job' ? ({ job_id }) => job_id === name : undefined;
}

/** The stream of a job that is over tells its state once, from and to the same. */
function ended({ id, queue, type, state, completed_at, cancelled_at }: KeptJob): string | undefined {
  if (!['completed', 'discarded', 'cancelled'].includes(state)) return undefined;
  const timestamp = completed_at ?? cancelled_at;
  return JSON.stringify({
    event: 'job.state_changed',
    job_id: id,
    queue,
    type,
    from: state,
    to: state,
    timestamp,
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return {};
  }
}

function notFound(response: ServerResponse): void {
  answer(response, 404, { error: { code: 'not_found', message: 'Not found.', retryable: false } });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/openjobspec+json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
