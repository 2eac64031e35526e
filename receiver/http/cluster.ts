import type { Express } from 'express';
import type { RunningTrigger, Runtime } from '../routing/runtime.ts';
import type { Door } from './door.ts';
import { handshake } from './handshake.ts';
import type { HotPath, Intake } from './intake.ts';
import { answerNotFound, answerWrongMethod, restApp, restFaults } from './not-found.ts';
import { wholeAnswer } from './outcomes.ts';
import { remembered } from './remembered.ts';

const PREFIX = '/triggers/';
/** Bytes; a Broker has no endpoint of ours to set a limit by. */
const BODY_LIMIT = 1_048_576;

/** The in-cluster listener's hot path: `POST /triggers/{namespace}/{name}`. */
export function clusterHot({ runtime, pipeline }: Pick<Door, 'runtime' | 'pipeline'>): HotPath {
  const intakes = remembered(
    (trigger: RunningTrigger): Intake => ({
      entrance: trigger.entrance,
      limit: BODY_LIMIT,
      handle: (request, done) => pipeline.receive(trigger, request, done),
      answer: wholeAnswer,
    }),
  );
  return ({ method, url }) => {
    if (method !== 'POST' || !url.startsWith(PREFIX)) return undefined;
    const trigger = addressed(runtime(), url);
    return trigger === undefined ? undefined : intakes(trigger);
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
