import type { Express } from 'express';
import type { Door } from './door.ts';
import { handshake } from './handshake.ts';
import { ingest } from './ingest.ts';
import type { HotHandler } from './listener.ts';
import { answerNotFound, answerWrongMethod, restApp, restFaults } from './not-found.ts';
import { OJS_PATHS, ojsHot } from './ojs.ts';
import { answerOutcomes } from './outcomes.ts';

const PREFIX = '/e/';

/** The public listener's hot path: `POST /e/{source}`, and `POST /ojs/v1/cloudevents`. */
export function publicHot(door: Door): HotHandler {
  const ojs = ojsHot(door);
  return (request, response) => {
    const url = request.url ?? '';
    if (request.method !== 'POST') return false;
    if (!url.startsWith(PREFIX)) return ojs(request, response);
    const endpoint = door.runtime().endpoint(sourceOf(url));
    if (endpoint === undefined) return false;
    ingest({
      request,
      response,
      door,
      entrance: endpoint.entrance,
      limit: endpoint.entry.limits.bodyBytes,
      handle: (signed, done) => door.pipeline.ingest(endpoint, signed, done),
      answer: (answered, outcomes, signed) =>
        answerOutcomes(answered, outcomes, endpoint.scheme.answer?.(signed)),
    });
    return true;
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
