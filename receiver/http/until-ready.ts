import { RequestError } from '../errors.ts';
import type { HotPath } from './intake.ts';

const MESSAGE = 'The receiver is starting; send it again.';

/**
 * Until the first table is in force nobody can tell an endpoint that does not exist from one that is not known yet: every
 * request is a 503 that the sender repeats, never a 404.
 */
export function untilReady(ready: () => boolean, path: () => HotPath | undefined): HotPath {
  return (head) => {
    const hot = path();
    if (hot !== undefined && ready()) return hot(head);
    return { refused: new RequestError(503, 'starting', MESSAGE, { retryAfter: 1 }) };
  };
}
