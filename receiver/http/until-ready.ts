import { RequestError } from '../errors.ts';
import { answerError } from './answer.ts';
import type { HotHandler } from './listener.ts';

/**
 * Until the first table is in force nobody can tell an endpoint that does not exist from one that is not known yet: every
 * request is a 503 that the sender repeats, never a 404.
 */
export function untilReady(ready: () => boolean, handler: () => HotHandler | undefined): HotHandler {
  return (request, response) => {
    const hot = handler();
    if (hot !== undefined && ready()) return hot(request, response);
    const message = 'The receiver is starting; send it again.';
    answerError(response, new RequestError(503, 'starting', message, { retryAfter: 1 }));
    return true;
  };
}
