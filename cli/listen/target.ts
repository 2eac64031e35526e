import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '../../receiver/errors.ts';
import { parseCloudEvents } from '../../receiver/event/parse.ts';
import { LENIENT } from '../../receiver/event/validate.ts';
import { readBody } from '../../receiver/http/body.ts';
import { type Listener, openListener } from '../../receiver/http/listener.ts';
import type { Address } from '../address.ts';
import { enqueue, JOBS_PATH, type Job } from './ojs.ts';

/** One request that arrived, and what it was answered with. */
export interface Arrival {
  readonly at: Date;
  readonly path: string;
  readonly status: number;
  /** The key by which a repeat can be told, where the sender gave one. */
  readonly idempotencyKey?: string;
  /** A job, with the id that it was given. */
  readonly job?: Job & { readonly id: string };
  /** A CloudEvent: its attributes and its data's bytes. */
  readonly event?: {
    readonly attributes: Readonly<Record<string, string>>;
    readonly data: Buffer | undefined;
  };
  /** Why it was refused. */
  readonly refusal?: string;
}

/** What a target needs. */
export interface TargetOptions {
  readonly address: Address;
  /** How many of the first requests are answered 503. */
  readonly fail: number;
  readonly arrived: (arrival: Arrival) => void;
  readonly now: () => Date;
  /** Makes the ids of jobs. */
  readonly id: () => string;
}

const BODY_LIMIT = 16 * 1024 * 1024;

/**
 * Opens a target for trying things out: `POST /ojs/v1/jobs` is a job backend's door, every other path a CloudEvents sink.
 * It keeps nothing.
 */
export function openTarget(options: TargetOptions): Promise<Listener> {
  let failing = options.fail;
  return openListener(
    'address',
    options.address,
    (request, response) => {
      readBody(request, { limit: BODY_LIMIT }, (error, body) => {
        const path = (request.url ?? '/').split('?')[0] ?? '/';
        const outcome = error === undefined ? take(request, path, body) : refusedBy(error);
        const key = request.headers['idempotency-key'];
        for (const told of outcome.told) {
          options.arrived({
            at: options.now(),
            path,
            ...(typeof key === 'string' ? { idempotencyKey: key } : {}),
            ...told,
            status: outcome.status,
          });
        }
        answer(request, response, outcome);
      });
      return true;
    },
    (_request, response) => response.end(),
  );

  function take(request: IncomingMessage, path: string, body: Buffer): Outcome {
    if (failing > 0) {
      failing--;
      return { status: 503, headers: {}, told: [{ refusal: 'asked to fail' }] };
    }
    if (request.method !== 'POST') {
      return {
        status: 405,
        headers: { allow: 'POST' },
        told: [{ refusal: `${request.method ?? ''} is not taken` }],
      };
    }
    return path === JOBS_PATH ? takeJob(request, body) : takeEvents(request, body);
  }

  function takeJob(request: IncomingMessage, body: Buffer): Outcome {
    const id = options.id();
    const { status, body: reply, job, refusal } = enqueue(request.headers, body, id);
    const told = job === undefined ? { refusal: refusal ?? '' } : { job: { ...job, id } };
    return {
      status,
      headers: job === undefined ? {} : { location: `${JOBS_PATH}/${id}` },
      told: [told],
      json: reply,
    };
  }
}

interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What came: several where it was a batch. */
  readonly told: readonly Pick<Arrival, 'job' | 'event' | 'refusal'>[];
  readonly json?: unknown;
}

/** A batch is taken whole, or refused for its first event that is none. */
function takeEvents(request: IncomingMessage, body: Buffer): Outcome {
  try {
    const told = parseCloudEvents(request.headers, body, LENIENT).map((event) => {
      if (event instanceof RequestError) throw event;
      return { event: { attributes: event.attributes, data: event.body } };
    });
    return { status: 202, headers: {}, told };
  } catch (error) {
    if (error instanceof RequestError) return refusedBy(error);
    throw error;
  }
}

function refusedBy(error: RequestError): Outcome {
  const json = { error: { code: error.code, message: error.message } };
  return { status: error.status, headers: {}, told: [{ refusal: error.message }], json };
}

function answer(request: IncomingMessage, response: ServerResponse, outcome: Outcome): void {
  const requestId = request.headers['x-request-id'];
  const text = outcome.json === undefined ? '' : JSON.stringify(outcome.json);
  const jobs = request.url === JOBS_PATH;
  response.writeHead(outcome.status, {
    ...outcome.headers,
    ...(jobs ? { 'ojs-version': '1.0' } : {}),
    ...(typeof requestId === 'string' ? { 'x-request-id': requestId } : {}),
    ...(text === '' ? {} : { 'content-type': jobs ? 'application/openjobspec+json' : 'application/json' }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
