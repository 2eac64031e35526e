import type { ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import { RequestError } from '../errors.ts';
import type { Pipeline } from '../pipeline.ts';
import type { RunningTrigger, Runtime } from '../routing/runtime.ts';
import type { Admission } from './admission.ts';
import { answerError } from './answer.ts';
import { handshake } from './handshake.ts';
import { ingest } from './ingest.ts';
import type { HotHandler } from './listener.ts';

const PREFIX = '/triggers/';
/** Bytes; a Broker has no endpoint of ours to set a limit by. */
const BODY_LIMIT = 1_048_576;

/** The in-cluster listener's hot path: `POST /triggers/{namespace}/{name}`. */
export function clusterHot(pipeline: Pipeline, runtime: () => Runtime, admission: Admission): HotHandler {
  return (request, response) => {
    const url = request.url ?? '';
    if (request.method !== 'POST' || !url.startsWith(PREFIX)) return false;
    const trigger = addressed(runtime(), url);
    if (trigger === undefined) return false;
    ingest({
      request,
      response,
      admission,
      limit: BODY_LIMIT,
      handle: (signed, done) => pipeline.receive(trigger, signed, done),
      answer: answerEmpty,
    });
    return true;
  };
}

/** Every other path of the in-cluster listener. */
export function clusterRest(runtime: () => Runtime): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.all('/triggers/:namespace/:name', (request, response) => {
    if (addressed(runtime(), request.path) === undefined) {
      const message = 'There is no such EventTrigger, or `cluster` is not in its spec.from.';
      answerError(response, new RequestError(404, 'no_such_trigger', message));
    } else if (request.method === 'OPTIONS') {
      handshake(request, response);
    } else {
      response.setHeader('allow', 'POST, OPTIONS');
      answerError(response, new RequestError(405, 'method_not_allowed', 'A trigger takes POST.'));
    }
  });
  app.use((_request, response) => {
    const message = 'Events go to POST /triggers/{namespace}/{name}.';
    answerError(response, new RequestError(404, 'not_found', message));
  });
  return app;
}

function addressed(runtime: Runtime, url: string): RunningTrigger | undefined {
  const query = url.indexOf('?');
  const trigger = runtime.trigger(query < 0 ? url.slice(PREFIX.length) : url.slice(PREFIX.length, query));
  return trigger?.entry.from.cluster === undefined ? undefined : trigger;
}

/** Empty: a Broker turns any body that is no CloudEvent into a failure and sends again. */
function answerEmpty(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 });
  response.end();
}
