import type { Express } from 'express';
import type { RunningEndpoint } from '../routing/runtime.ts';
import type { Door } from './door.ts';
import { handshake } from './handshake.ts';
import type { HotPath, Intake } from './intake.ts';
import { answerNotFound, answerWrongMethod, restApp, restFaults } from './not-found.ts';
import { OJS_PATHS, ojsHot } from './ojs.ts';
import { outcomesAnswer } from './outcomes.ts';
import { remembered } from './remembered.ts';

const PREFIX = '/e/';

/** The public listener's hot path: `POST /e/{source}`, and `POST /ojs/v1/cloudevents`. */
export function publicHot({ runtime, pipeline }: Pick<Door, 'runtime' | 'pipeline'>): HotPath {
  const ojs = ojsHot({ runtime, pipeline });
  const intakes = remembered(
    (endpoint: RunningEndpoint): Intake => ({
      entrance: endpoint.entrance,
      limit: endpoint.entry.limits.bodyBytes,
      handle: (request, done) => pipeline.ingest(endpoint, request, done),
      answer: (outcomes, request) => outcomesAnswer(outcomes, endpoint.scheme.answer?.(request)),
    }),
  );
  return (head) => {
    if (head.method !== 'POST') return undefined;
    if (!head.url.startsWith(PREFIX)) return ojs(head);
    const endpoint = runtime().endpoint(sourceOf(head.url));
    return endpoint === undefined ? undefined : intakes(endpoint);
  };
}

/** Every other path of the public listener. */
export function publicRest(door: Pick<Door, 'runtime' | 'observer' | 'now'>): Express {
  const app = restApp();
  app.all('/e/:source', (request, response) => {
    const endpoint = door.runtime().endpoint(request.params.source);
    if (endpoint === undefined) {
      answerNotFound(request, response, door, {
        code: 'no_such_endpoint',
        message: 'There is no such endpoint.',
      });
    } else if (request.method === 'OPTIONS') {
      handshake(request, response, endpoint.entry.limits.rate);
    } else {
      const message = 'An endpoint takes POST.';
      answerWrongMethod(request, response, door, { entrance: endpoint.entrance, message });
    }
  });
  app.all([...OJS_PATHS], (request, response) => {
    if (request.method === 'OPTIONS') {
      handshake(request, response);
    } else {
      const message = 'CloudEvents are sent with POST.';
      answerWrongMethod(request, response, door, { entrance: '', message });
    }
  });
  app.use((request, response) => {
    answerNotFound(request, response, door, {
      code: 'not_found',
      message: 'Events go to POST /e/{source}.',
    });
  });
  app.use(restFaults);
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
