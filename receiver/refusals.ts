import type { Full } from './deliver/backlog.ts';
import { RequestError } from './errors.ts';
import type { JournalError } from './journal/journal.ts';

/** One message for every cause: what is wrong with a signature helps nobody but who forges it. */
export function unauthorized(): RequestError {
  return new RequestError(401, 'unauthorized', 'The request is not proved by a known key.');
}

/** It is known who sends, and they may not. */
export function forbidden(): RequestError {
  return new RequestError(403, 'forbidden', 'The subject of the token may not send to this trigger.');
}

/** The endpoint exists, but its keys are not there now; `retryAfter` in seconds. */
export function cannotVerify(retryAfter = 10): RequestError {
  const message = 'This endpoint cannot verify requests now; send it again later.';
  return new RequestError(503, 'cannot_verify', message, { retryAfter });
}

/** The endpoint's `limits.rate` is used up for so many milliseconds. */
export function rateExceeded(waitMs: number): RequestError {
  const message = 'More requests came than this endpoint takes; send it again later.';
  return new RequestError(429, 'rate_exceeded', message, { retryAfter: waitMs / 1000 });
}

/** As much is under way as memory is set aside for. */
export function overloaded(): RequestError {
  const message = 'Too many requests are under way; send it again later.';
  return new RequestError(503, 'overloaded', message, { retryAfter: 1 });
}

/** More is promised than can be kept: the journal's deliveries are at their bound, or are not tried in time. */
export function backlogged({ why, retryAfter }: Full): RequestError {
  const full = why === 'full';
  const message = full
    ? 'More is waiting to be delivered than this receiver takes; send it again later.'
    : 'Deliveries are behind what is accepted; send it again later.';
  return new RequestError(503, full ? 'backlog_full' : 'behind', message, { retryAfter });
}

/** Nothing was written; the sender repeats. */
export function unwritten(error: JournalError | undefined): RequestError {
  const cause = error === undefined ? {} : { cause: error };
  if (error?.code === 'JournalFull') {
    const message = 'The journal is full, so nothing was accepted; send it again later.';
    return new RequestError(503, 'journal_full', message, { retryAfter: 30, ...cause });
  }
  const message = 'The journal cannot be written now, so nothing was accepted; send it again later.';
  return new RequestError(503, 'journal_unavailable', message, { retryAfter: 5, ...cause });
}

/** What a fault inside the receiver looks like from outside: a 503 that the sender repeats, never a stack. */
export function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const message = 'The receiver could not take this request now; send it again.';
  return new RequestError(503, 'internal_error', message, { cause: error, retryAfter: 1 });
}
