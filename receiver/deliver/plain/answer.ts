import type { AnswerHead, ReadAnswerHead } from './answer-head.ts';
import { readChunks } from './chunks.ts';

/** What the first piece of a plain answer holds. */
export interface BegunAnswer {
  readonly head: AnswerHead;
  /** What came of the body. */
  readonly body: Buffer;
  /** Bytes of the whole body. */
  readonly length: number;
  /** There are bytes behind its end. */
  readonly more: boolean;
}

/** Reads the first piece of an answer; undefined where it is not plain. A body in chunks is plain where all of it is here. */
export function beginAnswer(piece: Buffer, readHead: ReadAnswerHead): BegunAnswer | undefined {
  const head = readHead(piece);
  if (head === undefined) return undefined;
  const { bodyAt, bodyLength } = head;
  if (bodyLength === 'chunked') {
    const chunked = readChunks(piece, bodyAt);
    if (chunked === undefined) return undefined;
    return { head, body: chunked.body, length: chunked.body.length, more: chunked.end < piece.length };
  }
  const end = bodyAt + bodyLength;
  return { head, body: piece.subarray(bodyAt, end), length: bodyLength, more: end < piece.length };
}
