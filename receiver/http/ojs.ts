import { parseBatchOnly, parseCloudEvent } from '../event/parse.ts';
import { unauthorized } from '../refusals.ts';
import type { ReadEvents, RunningEndpoint } from '../routing/runtime.ts';
import type { Door } from './door.ts';
import type { HotPath } from './intake.ts';
import { outcomesAnswer } from './outcomes.ts';

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
export function ojsHot({ runtime, pipeline }: Pick<Door, 'runtime' | 'pipeline'>): HotPath {
  return ({ url, headers }) => {
    const [path = ''] = url.split('?', 1);
    const reader = READERS.get(path);
    if (reader === undefined) return undefined;
    const found = runtime().bearerEndpoint({ headers, url });
    if (found === undefined)
      return { refused: unauthorized(), cause: `${path}: it shows no endpoint's bearer token` };
    const endpoint = { ...found, read: reader(found) };
    return {
      entrance: endpoint.entrance,
      limit: endpoint.entry.limits.bodyBytes,
      handle: (request, done) => pipeline.ingest(endpoint, request, done),
      answer: (outcomes) => outcomesAnswer(outcomes),
    };
  };
}
