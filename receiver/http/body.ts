import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { overloaded } from '../refusals.ts';
import type { Admission } from './admission.ts';
import type { Reading, SlowSenders } from './slow-senders.ts';

const EMPTY = Buffer.alloc(0);

/** What bounds a body. */
export interface BodyBounds {
  /** Bytes. */
  readonly limit: number;
  /** Grants the memory. Left out: there is always enough. */
  readonly admission?: Admission;
  /** Ends what comes too slowly. Left out: a body may take its time. */
  readonly slow?: SlowSenders;
}

/**
 * Reads a whole body and calls back once: with the bytes, or with the refusal that the sender gets (413, 408, 503). A
 * sender that goes away calls nobody back. The memory is the caller's from then on; the answer tells how much it is.
 * Data and end events, because `for await` costs a quarter of a request.
 */
export function readBody(
  request: IncomingMessage,
  { limit, admission, slow }: BodyBounds,
  done: (error: RequestError | undefined, body: Buffer) => void,
): Readonly<Reading> {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let ended = false;
  const reading: Reading = {
    size: 0,
    sweeps: 0,
    end(error) {
      if (ended) return;
      ended = true;
      first = more = undefined;
      done(error, EMPTY);
    },
  };
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    reading.end(tooLarge(limit));
    return reading;
  }
  slow?.watch(reading);
  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    if (reading.size + chunk.length > limit) {
      reading.end(tooLarge(limit));
    } else if (admission?.hold(chunk.length) === false) {
      reading.end(overloaded());
    } else {
      reading.size += chunk.length;
      if (first === undefined) first = chunk;
      else (more ??= [first]).push(chunk);
    }
  });
  request.on('end', () => {
    slow?.forget(reading);
    if (ended) return;
    ended = true;
    done(undefined, more === undefined ? (first ?? EMPTY) : Buffer.concat(more, reading.size));
  });
  request.on('close', () => slow?.forget(reading));
  return reading;
}

function tooLarge(limit: number): RequestError {
  return new RequestError(
    413,
    'body_too_large',
    `The body is larger than this endpoint's limit of ${limit} bytes.`,
  );
}
