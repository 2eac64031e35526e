import type { IncomingHttpHeaders } from 'node:http';

/** A job as it was enqueued, the envelope's own fields (Open Job Spec, HTTP binding). */
export interface Job {
  readonly type: string;
  readonly args: readonly unknown[];
  readonly meta?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What an enqueue request is answered with, and the job where it was taken. */
export interface Enqueued {
  readonly status: number;
  readonly body: unknown;
  readonly job?: Job;
  /** Why it was refused. */
  readonly refusal?: string;
}

/** Where jobs are enqueued. */
export const JOBS_PATH = '/ojs/v1/jobs';

const MEDIA_TYPES: readonly string[] = ['application/openjobspec+json', 'application/json'];
const TYPE = /^(?=.{1,255}$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const QUEUE = /^(?=.{1,128}$)[a-z0-9][a-z0-9\-.]*$/;

/** Answers `POST /ojs/v1/jobs` as an OJS server does: 201 with the job, or 400 with the error that names the field. */
export function enqueue(headers: IncomingHttpHeaders, body: Buffer, id: string): Enqueued {
  const refusal = mediaTypeRefusal(headers['content-type']);
  if (refusal !== undefined) return refused(refusal, headers);
  let envelope: unknown;
  try {
    envelope = JSON.parse(body.toString());
  } catch {
    return refused('the body is not JSON', headers);
  }
  const wrong = envelopeRefusal(envelope);
  if (wrong !== undefined) return refused(wrong, headers);
  const job = envelope as Job;
  return {
    status: 201,
    job,
    body: {
      job: {
        id,
        type: job.type,
        state: 'available',
        queue: queueOf(job),
        args: job.args,
        meta: job.meta,
        attempt: 0,
      },
    },
  };
}

/** The queue that a job waits in. */
export function queueOf(job: Job): string {
  const queue = job.options?.['queue'];
  return typeof queue === 'string' ? queue : 'default';
}

function mediaTypeRefusal(contentType: string | undefined): string | undefined {
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return MEDIA_TYPES.includes(mediaType) ? undefined : `Content-Type must be ${MEDIA_TYPES.join(' or ')}`;
}

function envelopeRefusal(envelope: unknown): string | undefined {
  if (!isRecord(envelope)) return 'the body must be a JSON object';
  const { type, args, options } = envelope;
  if (typeof type !== 'string' || !TYPE.test(type)) return 'type must be lower-case words joined by dots';
  if (!Array.isArray(args)) return 'args must be an array';
  if (options === undefined) return undefined;
  if (!isRecord(options)) return 'options must be an object';
  const { queue } = options;
  return queue === undefined || (typeof queue === 'string' && QUEUE.test(queue))
    ? undefined
    : 'options.queue must be lower-case letters, digits, dashes and dots';
}

function refused(message: string, headers: IncomingHttpHeaders): Enqueued {
  const requestId = headers['x-request-id'];
  const error = {
    code: 'invalid_request',
    message,
    retryable: false,
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
  return { status: 400, body: { error }, refusal: message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
