import type { ServerResponse } from 'node:http';
import type { RequestError } from '../errors.ts';

/** Sends JSON text. */
export function answerJson(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
  });
  response.end(json);
}

/** Sends a text back to whoever asked for it: 200. */
export function answerText(response: ServerResponse, text: string): void {
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Sends a status without a body. */
export function answerEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 204 ? {} : { 'content-length': 0 });
  response.end();
}

/**
 * Sends a refusal: `{"error":{"code","message"}}`, Retry-After where the error has one. A body that was not read to its
 * end closes the connection, since what follows on it cannot be told from a next request.
 */
export function answerError(response: ServerResponse, error: RequestError): void {
  const json = JSON.stringify({ error: { code: error.code, message: error.message } });
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
  };
  if (error.retryAfter !== undefined) headers['retry-after'] = Math.max(1, Math.ceil(error.retryAfter));
  if (!response.req.complete) headers['connection'] = 'close';
  response.writeHead(error.status, headers);
  response.end(json);
}
