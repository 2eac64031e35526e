import type { ServerResponse } from 'node:http';
import type { RequestError } from '../errors.ts';

/** An answer as data: who writes it adds its length, its date and what becomes of the connection. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const NO_HEADERS = {};
const JSON_HEADERS = { 'content-type': 'application/json' };
const TEXT_HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** JSON text. */
export function jsonAnswer(status: number, json: string): Answer {
  return { status, headers: JSON_HEADERS, body: json };
}

/** A text back to whoever asked for it: 200. */
export function textAnswer(text: string): Answer {
  return { status: 200, headers: TEXT_HEADERS, body: text };
}

/** A status without a body. */
export function emptyAnswer(status: number): Answer {
  return { status, headers: NO_HEADERS, body: '' };
}

/** A refusal: `{"error":{"code","message"}}`, Retry-After where the error has one. */
export function errorAnswer(error: RequestError): Answer {
  const json = JSON.stringify({ error: { code: error.code, message: error.message } });
  if (error.retryAfter === undefined) return jsonAnswer(error.status, json);
  const seconds = Math.max(1, Math.ceil(error.retryAfter));
  return { status: error.status, headers: { ...JSON_HEADERS, 'retry-after': String(seconds) }, body: json };
}

/** Whether an answer of that status tells how long it is (RFC 9110 8.6). */
export function hasLength(status: number): boolean {
  return status !== 204;
}

/** Sends an answer by way of `node:http`. */
export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const all: Record<string, string | number> = { ...headers };
  if (hasLength(status)) all['content-length'] = Buffer.byteLength(body);
  // What follows a body that was not read to its end cannot be told from a next request.
  if (status >= 400 && !response.req.complete) all['connection'] = 'close';
  response.writeHead(status, all);
  response.end(body === '' ? undefined : body);
}

/** Sends a refusal. */
export function answerError(response: ServerResponse, error: RequestError): void {
  send(response, errorAnswer(error));
}
