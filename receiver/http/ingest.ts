import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestError } from '../errors.ts';
import type { Done, Outcome } from '../pipeline.ts';
import { asRequestError, overloaded } from '../refusals.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import { answerError, answerText } from './answer.ts';
import { readBody } from './body.ts';
import type { Door } from './door.ts';

/** One hot request: reads the body, hands it on, and answers whatever comes back. */
export interface IngestOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly door: Door;
  /** Where it comes in, for the decision record. */
  readonly entrance: string;
  /** Bytes. */
  readonly limit: number;
  readonly handle: (request: SignedRequest, done: Done) => void;
  readonly answer: (response: ServerResponse, outcomes: readonly Outcome[], request: SignedRequest) => void;
}

/**
 * Carries one request through the pipeline and answers exactly once, whatever happens: a refusal, a fault (503) or what
 * became of its events. What it takes is given back when its answer has left or its sender has gone.
 */
export function ingest(options: IngestOptions): void {
  const { request, response, door } = options;
  let entered = false;
  const reading = readBody(request, { ...door, limit: options.limit }, (error, body) => {
    if (error === undefined) entered = door.admission.enter();
    if (!entered) {
      turnAway(options, error ?? overloaded(), body.length);
      return;
    }
    const signed = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    try {
      options.handle(signed, (refused, outcomes, reply) => {
        if (refused !== undefined) answerError(response, refused);
        else if (reply !== undefined) answerText(response, reply);
        else options.answer(response, outcomes, signed);
      });
    } catch (fault) {
      turnAway(options, asRequestError(fault), body.length);
    }
  });
  response.once('close', () => {
    if (entered) door.admission.leave();
    door.admission.release(reading.size);
  });
}

/** Refuses what has not come as far as the pipeline, or failed there. */
function turnAway({ response, door, entrance }: IngestOptions, error: RequestError, bytes: number): void {
  const { status, code, message, cause } = error;
  door.observer.rejected({
    at: door.now(),
    entrance,
    status,
    code,
    cause: cause instanceof Error ? cause.message : message,
    bytes,
  });
  if (!response.headersSent) answerError(response, error);
}
