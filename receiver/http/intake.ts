import type { IncomingHttpHeaders } from 'node:http';
import type { RequestError } from '../errors.ts';
import type { Done, Outcome } from '../pipeline.ts';
import { asRequestError } from '../refusals.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import { type Answer, errorAnswer, textAnswer } from './answer.ts';
import type { Door } from './door.ts';

/** What decides who takes a request. */
export interface RequestHead {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Lower-case names, as `node:http` joins them. */
  readonly headers: IncomingHttpHeaders;
}

/** Who takes requests with a certain head, and how. */
export interface Intake {
  /** Where they come in, for the decision record. */
  readonly entrance: string;
  /** Bytes of a body. */
  readonly limit: number;
  readonly handle: (request: SignedRequest, done: Done) => void;
  readonly answer: (outcomes: readonly Outcome[], request: SignedRequest) => Answer;
}

/** A request that its head alone refuses. */
export interface RefusedHead {
  readonly refused: RequestError;
  /** For the decision record; left out: it has none. */
  readonly cause?: string;
}

/** Finds who takes a request by its head; undefined: it is for somebody else. Only looks, so that it may be asked again. */
export type HotPath = (head: RequestHead) => Intake | RefusedHead | undefined;

/** Whether a head is a request's that somebody takes. */
export function isTaken(found: Intake | RefusedHead | undefined): found is Intake {
  return found !== undefined && !('refused' in found);
}

/** What ingest tells, and asks for the time. */
export type Recorder = Pick<Door, 'observer' | 'now'>;

/** Carries a whole request through the pipeline; calls back with its answer, a fault's (503) included. */
export function carry(
  intake: Intake,
  request: SignedRequest,
  recorder: Recorder,
  answered: (answer: Answer) => void,
): void {
  try {
    intake.handle(request, (refused, outcomes, reply) => {
      if (refused !== undefined) answered(errorAnswer(refused));
      else if (reply !== undefined) answered(textAnswer(reply));
      else answered(intake.answer(outcomes, request));
    });
  } catch (fault) {
    answered(turnedAway(intake, recorder, asRequestError(fault), request.body.length));
  }
}

/** Records the refusal of what has not come as far as the pipeline, or failed there, and makes its answer. */
export function turnedAway(
  { entrance }: Pick<Intake, 'entrance'>,
  { observer, now }: Recorder,
  error: RequestError,
  bytes: number,
): Answer {
  const { status, code, message, cause } = error;
  const told = cause instanceof Error ? cause.message : message;
  observer.rejected({ at: now(), entrance, status, code, cause: told, bytes });
  return errorAnswer(error);
}
