import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '../errors.ts';
import type { Accepted, Done } from '../pipeline.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import type { Admission } from './admission.ts';
import { answerError, answerText, asRequestError } from './answer.ts';
import { readBody } from './body.ts';

/** One hot request: reads the body, hands it on, and answers whatever comes back. */
export interface IngestOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly admission: Admission;
  /** Bytes. */
  readonly limit: number;
  readonly handle: (request: SignedRequest, done: Done) => void;
  readonly answer: (response: ServerResponse, accepted: Accepted, request: SignedRequest) => void;
}

/**
 * Carries one request through the pipeline and answers exactly once, whatever happens: a refusal, a fault (503) or the
 * acceptance. The place it takes is given back when its answer has left or its sender has gone.
 */
export function ingest(options: IngestOptions): void {
  const { request, response, admission } = options;
  if (!admission.enter()) {
    answerError(response, overloaded());
    return;
  }
  response.once('close', admission.leave);
  readBody(request, options.limit, (error, body) => {
    if (error !== undefined) {
      answerError(response, error);
      return;
    }
    const signed = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    try {
      options.handle(signed, (refused, accepted, reply) => {
        if (accepted !== undefined) options.answer(response, accepted, signed);
        else if (reply !== undefined) answerText(response, reply);
        else answerError(response, asRequestError(refused));
      });
    } catch (fault) {
      answerError(response, asRequestError(fault));
    }
  });
}

function overloaded(): RequestError {
  return new RequestError(503, 'overloaded', 'Too many requests are under way; send it again later.', {
    retryAfter: 1,
  });
}
