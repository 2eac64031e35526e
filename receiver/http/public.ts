import type { ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import { RequestError } from '../errors.ts';
import type { Accepted, Pipeline } from '../pipeline.ts';
import type { Runtime } from '../routing/runtime.ts';
import type { PresetAnswer } from '../verify/scheme.ts';
import type { Admission } from './admission.ts';
import { answerError, answerJson } from './answer.ts';
import { handshake } from './handshake.ts';
import { ingest } from './ingest.ts';
import type { HotHandler } from './listener.ts';

const PREFIX = '/e/';

/** The public listener's hot path: `POST /e/{source}`. */
export function publicHot(pipeline: Pipeline, runtime: () => Runtime, admission: Admission): HotHandler {
  return (request, response) => {
    const url = request.url ?? '';
    if (request.method !== 'POST' || !url.startsWith(PREFIX)) return false;
    const endpoint = runtime().endpoint(sourceOf(url));
    if (endpoint === undefined) return false;
    ingest({
      request,
      response,
      admission,
      limit: endpoint.entry.limits.bodyBytes,
      handle: (signed, done) => pipeline.ingest(endpoint, signed, done),
      answer: (answered, accepted, signed) =>
        answerAccepted(answered, accepted, endpoint.scheme.answer?.(signed)),
    });
    return true;
  };
}

/** Every other path of the public listener. */
export function publicRest(runtime: () => Runtime): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.all('/e/:source', (request, response) => {
    if (runtime().endpoint(request.params.source) === undefined) {
      answerError(response, new RequestError(404, 'no_such_endpoint', 'There is no such endpoint.'));
    } else if (request.method === 'OPTIONS') {
      handshake(request, response);
    } else {
      response.setHeader('allow', 'POST, OPTIONS');
      answerError(response, new RequestError(405, 'method_not_allowed', 'An endpoint takes POST.'));
    }
  });
  app.use((_request, response) => {
    answerError(response, new RequestError(404, 'not_found', 'Events go to POST /e/{source}.'));
  });
  return app;
}

function sourceOf(url: string): string {
  const query = url.indexOf('?');
  const raw = query < 0 ? url.slice(PREFIX.length) : url.slice(PREFIX.length, query);
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return '';
  }
}

/** 202 and one entry per event, in their order; or what this provider takes for an answer. */
function answerAccepted(
  response: ServerResponse,
  accepted: Accepted,
  { status, empty }: PresetAnswer = { status: 202, empty: false },
): void {
  if (empty) {
    response.writeHead(status, status === 204 ? {} : { 'content-length': 0 });
    response.end();
    return;
  }
  const { differs, source, id, duplicate, triggers } = accepted;
  const entry = { source, id, duplicate, ...(differs ? { differs } : {}), triggers, instances: [] };
  answerJson(response, status, JSON.stringify({ events: [entry] }));
}
