import { parseBatchOnly, parseCloudEvent } from '../event/parse.ts';
import { unauthorized } from '../refusals.ts';
import type { ReadEvents, RunningEndpoint } from '../routing/runtime.ts';
import { answerError } from './answer.ts';
import type { Door } from './door.ts';
import { ingest } from './ingest.ts';
import type { HotHandler } from './listener.ts';
import { answerOutcomes } from './outcomes.ts';

type Reader = (endpoint: RunningEndpoint) => ReadEvents;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    '/ojs/v1/cloudevents',
    ({ rules }) =>
      ({ headers, body }) => [parseCloudEvent(headers, body, rules)],
  ],
  [
    '/ojs/v1/cloudevents/batch',
    ({ rules }) =>
      ({ headers, body }) =>
        parseBatchOnly(headers, body, rules),
  ],
]);

/** Where senders that speak the OJS interop page send. */
export const OJS_PATHS: readonly string[] = [...READERS.keys()];

/**
 * `POST /ojs/v1/cloudevents` and `…/batch`: the endpoint is the one whose Bearer secret the request carries. What comes
 * is a CloudEvent or a batch of them, never a payload that has yet to become one.
 */
export function ojsHot(door: Door): HotHandler {
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const reader = READERS.get(path);
    if (reader === undefined) return false;
    const found = door.runtime().bearerEndpoint({ headers: request.headers, url: request.url ?? '' });
    if (found === undefined) {
      const error = unauthorized();
      const { status, code } = error;
      const cause = `${path}: it shows no endpoint's bearer token`;
      door.observer.rejected({ at: door.now(), entrance: '', status, code, cause, bytes: 0 });
      answerError(response, error);
      return true;
    }
    const endpoint = { ...found, read: reader(found) };
    ingest({
      request,
      response,
      door,
      entrance: endpoint.entrance,
      limit: endpoint.entry.limits.bodyBytes,
      handle: (signed, done) => door.pipeline.ingest(endpoint, signed, done),
      answer: (answered, outcomes) => answerOutcomes(answered, outcomes),
    });
    return true;
  };
}
