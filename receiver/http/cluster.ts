import type { ServerResponse } from 'node:http';
import type { Express } from 'express';
import type { Outcome } from '../pipeline.ts';
import type { RunningTrigger, Runtime } from '../routing/runtime.ts';
import { answerEmpty, answerError } from './answer.ts';
import type { Door } from './door.ts';
import { handshake } from './handshake.ts';
import { ingest } from './ingest.ts';
import type { HotHandler } from './listener.ts';
import { answerNotFound, answerWrongMethod, restApp, restFaults } from './not-found.ts';
import { commonRefusal } from './outcomes.ts';

const PREFIX = '/triggers/';
/** Bytes; a Broker has no endpoint of ours to set a limit by. */
const BODY_LIMIT = 1_048_576;

/** The in-cluster listener's hot path: `POST /triggers/{namespace}/{name}`. */
export function clusterHot(door: Door): HotHandler {
  return (request, response) => {
    const url = request.url ?? '';
    if (request.method !== 'POST' || !url.startsWith(PREFIX)) return false;
    const trigger = addressed(door.runtime(), url);
    if (trigger === undefined) return false;
    ingest({
      request,
      response,
      door,
      entrance: trigger.entrance,
      limit: BODY_LIMIT,
      handle: (signed, done) => door.pipeline.receive(trigger, signed, done),
      answer: answerWhole,
    });
    return true;
  };
}

/** Every other path of the in-cluster listener. */
export function clusterRest(door: Pick<Door, 'runtime' | 'observer' | 'now'>): Express {
  const app = restApp();
  app.all('/triggers/:namespace/:name', (request, response) => {
    const trigger = addressed(door.runtime(), request.path);
    if (trigger === undefined) {
      const message = 'There is no such EventTrigger, or `cluster` is not in its spec.from.';
      answerNotFound(request, response, door, { code: 'no_such_trigger', message });
    } else if (request.method === 'OPTIONS') {
      handshake(request, response);
    } else {
      const message = 'A trigger takes POST.';
      answerWrongMethod(request, response, door, { entrance: trigger.entrance, message });
    }
  });
  app.use((request, response) => {
    const message = 'Events go to POST /triggers/{namespace}/{name}.';
    answerNotFound(request, response, door, { code: 'not_found', message });
  });
  app.use(restFaults);
  return app;
}

function addressed(runtime: Runtime, url: string): RunningTrigger | undefined {
  const query = url.indexOf('?');
  const trigger = runtime.trigger(query < 0 ? url.slice(PREFIX.length) : url.slice(PREFIX.length, query));
  return trigger?.entry.from.cluster === undefined ? undefined : trigger;
}

/** Empty: a Broker turns any body that is no CloudEvent into a failure and sends again. */
function answerWhole(response: ServerResponse, outcomes: readonly Outcome[]): void {
  const refusal = commonRefusal(outcomes);
  if (refusal === undefined) answerEmpty(response, 202);
  else answerError(response, refusal);
}
