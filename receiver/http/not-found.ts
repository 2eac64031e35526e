import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { RequestError } from '../errors.ts';
import { asRequestError } from '../refusals.ts';
import { answerError } from './answer.ts';
import type { Door } from './door.ts';

/** As much of a path as is recorded. */
const PATH_KEPT = 200;

/** An Express application for the paths that are not hot, without its own marks. */
export function restApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // As the hot paths are read: another spelling of an address is another address.
  app.enable('strict routing');
  app.enable('case sensitive routing');
  return app;
}

/** Answers 404 and records which address was asked for: a wrong one is the commonest first mistake. */
export function answerNotFound(
  request: IncomingMessage,
  response: ServerResponse,
  { observer, now }: Pick<Door, 'observer' | 'now'>,
  { code, message }: { readonly code: string; readonly message: string },
): void {
  const [path = ''] = (request.url ?? '').split('?', 1);
  observer.rejected({
    at: now(),
    entrance: '',
    status: 404,
    code,
    // Written out, so that what the path holds cannot act on a terminal.
    cause: `${request.method ?? ''} ${JSON.stringify(path.slice(0, PATH_KEPT)).slice(1, -1)}: ${message}`,
    bytes: 0,
  });
  answerError(response, new RequestError(404, code, message));
}

/** Answers 405 and records it: a sender with the wrong method, or a browser that was pointed here. */
export function answerWrongMethod(
  request: IncomingMessage,
  response: ServerResponse,
  { observer, now }: Pick<Door, 'observer' | 'now'>,
  { entrance, message }: { readonly entrance: string; readonly message: string },
): void {
  const error = new RequestError(405, 'method_not_allowed', message);
  const { status, code } = error;
  const cause = `${request.method ?? ''}: ${message}`;
  observer.rejected({ at: now(), entrance, status, code, cause, bytes: 0 });
  response.setHeader('allow', 'POST, OPTIONS');
  answerError(response, error);
}

/** The last handler of such an application: a path that cannot be decoded is a 400, anything else a fault of ours. */
export const restFaults: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const undecodable = error instanceof URIError;
  const told = undecodable
    ? new RequestError(400, 'invalid_path', 'The path is not percent-encoded UTF-8.')
    : asRequestError(error);
  answerError(response, told);
};
