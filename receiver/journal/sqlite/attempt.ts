/**
 * Attempts as the journal keeps them: packed one behind the other in one value, oldest first, so that a new one is
 * appended without reading the rest. One is: length (u32), at, duration (f64 each), status (u16; 0: none), lengths of
 * error and result (u32 each; 0: none), their UTF-8.
 */
import type { Attempt } from '../journal.ts';

/** How many attempts of a delivery are kept: the newest. */
export const ATTEMPTS_KEPT = 20;

const HEAD = 4 + 8 + 8 + 2 + 4 + 4;

/** Most bytes that `writeAttempt` needs. */
export function attemptSize(attempt: Attempt): number {
  return HEAD + ((attempt.error?.length ?? 0) + (attempt.result?.length ?? 0)) * 3;
}

/** Writes one attempt; answers where the next byte goes. */
export function writeAttempt(into: Buffer, start: number, attempt: Attempt): number {
  into.writeDoubleLE(attempt.at, start + 4);
  into.writeDoubleLE(attempt.durationMs, start + 12);
  into.writeUInt16LE(attempt.status ?? 0, start + 20);
  let at = start + HEAD;
  const error = attempt.error === undefined ? 0 : into.write(attempt.error, at, 'utf8');
  at += error;
  const result = attempt.result === undefined ? 0 : into.write(attempt.result, at, 'utf8');
  at += result;
  into.writeUInt32LE(error, start + 22);
  into.writeUInt32LE(result, start + 26);
  into.writeUInt32LE(at - start, start);
  return at;
}

/** The newest attempts of a packed history, oldest first. */
export function readAttempts(history: Uint8Array | null): Attempt[] {
  if (history === null) return [];
  const bytes = Buffer.from(history.buffer, history.byteOffset, history.byteLength);
  const attempts: Attempt[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) attempts.push(readAttempt(bytes, at));
  return attempts.slice(-ATTEMPTS_KEPT);
}

/** A history with one attempt more, cut to the newest ones. */
export function appendAttempt(history: Uint8Array | null, attempt: Uint8Array): Uint8Array {
  if (history === null || history.length === 0) return attempt;
  const bytes = Buffer.concat([history, attempt]);
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) starts.push(at);
  return starts.length <= ATTEMPTS_KEPT ? bytes : bytes.subarray(starts.at(-ATTEMPTS_KEPT));
}

function readAttempt(bytes: Buffer, start: number): Attempt {
  const status = bytes.readUInt16LE(start + 20);
  const errorEnd = start + HEAD + bytes.readUInt32LE(start + 22);
  const resultEnd = errorEnd + bytes.readUInt32LE(start + 26);
  return {
    at: bytes.readDoubleLE(start + 4),
    durationMs: bytes.readDoubleLE(start + 12),
    ...(status === 0 ? {} : { status }),
    ...(errorEnd === start + HEAD ? {} : { error: bytes.toString('utf8', start + HEAD, errorEnd) }),
    ...(resultEnd === errorEnd ? {} : { result: bytes.toString('utf8', errorEnd, resultEnd) }),
  };
}
