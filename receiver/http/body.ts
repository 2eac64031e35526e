import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Reads a whole body of at most `limit` bytes and calls back once: with the bytes, or with the 413 that the sender gets.
 * A sender that goes away calls nobody back. Data and end events, because `for await` costs a quarter of a request.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (error: RequestError | undefined, body: Buffer) => void,
): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    done(tooLarge(limit), EMPTY);
    return;
  }
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let size = 0;
  let ended = false;
  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    size += chunk.length;
    if (size > limit) {
      ended = true;
      done(tooLarge(limit), EMPTY);
    } else if (first === undefined) {
      first = chunk;
    } else {
      more ??= [first];
      more.push(chunk);
    }
  });
  request.on('end', () => {
    if (ended) return;
    ended = true;
    done(undefined, more === undefined ? (first ?? EMPTY) : Buffer.concat(more, size));
  });
}

function tooLarge(limit: number): RequestError {
  return new RequestError(
    413,
    'body_too_large',
    `The body is larger than this endpoint's limit of ${limit} bytes.`,
  );
}
