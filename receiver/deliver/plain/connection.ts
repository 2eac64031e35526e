import type { Socket } from 'node:net';
import type { Exchange } from '../exchange.ts';
import { beginAnswer } from './answer.ts';
import { REST_MS, type ReadAnswerHead } from './answer-head.ts';
import type { PlainRequest } from './request-text.ts';

/** A request, and who is told of its answer. */
export interface Job {
  readonly request: PlainRequest;
  /** Its head, as it goes out. */
  readonly head: string;
  readonly exchange: Exchange;
}

/** What a connection needs of the pool it belongs to. */
export interface ConnectionOwner {
  readonly readHead: ReadAnswerHead;
  /** It can take another request. */
  rests(connection: PlainConnection): void;
  /** It is closed, or somebody else's. */
  gone(): void;
  /** Has undici read an answer that is not plain, of which `came` is here. */
  handOver(socket: Socket, came: Buffer, job: Job): void;
}

/** Head and body go out as one piece up to this. */
const COPIED = 16 << 10;

/** The other end closed before its answer was whole; with the code that undici has for it. */
class ClosedEarlyError extends Error {
  readonly code = 'UND_ERR_SOCKET';
}

/** One connection that carries plain requests, one at a time. A class, because its methods are shared by many. */
export class PlainConnection {
  /** How long it may rest, in milliseconds, as its last answer has it. */
  restMs = REST_MS;
  /** The client's tick at which it began to. */
  restsSince = 0;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #job: Job | undefined;
  #sent = false;
  /** Bytes of the body still to come; -1: the head is. */
  #left = -1;
  #gone = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.on('data', this.#onData);
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
  }

  get usable(): boolean {
    return !this.#gone;
  }

  /** Sends a request; false: its exchange ended while it waited, and nothing was sent. */
  send(job: Job): boolean {
    this.#job = job;
    this.#left = -1;
    this.#sent = false;
    job.exchange.onRequestStart(this);
    if (this.#job === undefined) return false;
    this.#sent = true;
    this.#write(job);
    return true;
  }

  /** Ends the exchange under way; its handler is told nothing more. */
  abort(): void {
    if (this.#job === undefined) return;
    this.#job = undefined;
    if (this.#sent) this.destroy();
  }

  destroy(): void {
    this.#leave();
    this.#socket.destroy();
  }

  #write({ head, request: { body } }: Job): void {
    const socket = this.#socket;
    if (body.length === 0) socket.write(head, 'latin1');
    else if (body.length > COPIED) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    } else {
      const whole = Buffer.allocUnsafe(head.length + body.length);
      whole.write(head, 'latin1');
      body.copy(whole, head.length);
      socket.write(whole);
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    const job = this.#job;
    // Nobody asked: what it means, and for whom, cannot be told.
    if (job === undefined) this.destroy();
    else if (this.#left >= 0) this.#body(job, chunk.subarray(0, this.#left), chunk.length > this.#left);
    else this.#begin(job, chunk);
  };

  #begin(job: Job, piece: Buffer): void {
    const begun = beginAnswer(piece, this.#owner.readHead);
    if (begun === undefined) {
      this.#handOver(job, piece);
      return;
    }
    const { head, body, length, more } = begun;
    this.restMs = head.restMs;
    this.#left = length;
    job.exchange.onResponseStart(this, head.status, head.headers);
    this.#body(job, body, more);
  }

  /** Takes a piece of the body, and whether there is `more` behind its end. */
  #body(job: Job, piece: Buffer, more: boolean): void {
    if (this.#job === undefined) return;
    this.#left -= piece.length;
    if (piece.length > 0) job.exchange.onResponseData(this, piece);
    if (this.#job !== undefined && this.#left === 0) this.#ended(job, more);
  }

  #ended({ exchange }: Job, more: boolean): void {
    this.#job = undefined;
    // More than the answer, or an answer before the request was whole: the next one could be taken for another's.
    if (more || this.restMs === 0 || this.#socket.writableLength > 0) this.destroy();
    else this.#owner.rests(this);
    exchange.onResponseEnd();
  }

  #handOver(job: Job, came: Buffer): void {
    const socket = this.#socket;
    this.#job = undefined;
    socket.off('data', this.#onData).off('error', this.#onError);
    socket.off('end', this.#onEnd).off('close', this.#onEnd);
    this.#gone = true;
    // Until then it is one of those that the target may be given.
    socket.once('close', () => this.#owner.gone());
    this.#owner.handOver(socket, came, job);
  }

  readonly #onError = (error: Error): void => this.#fail(error);
  readonly #onEnd = (): void => this.#fail(undefined);

  #fail(error: Error | undefined): void {
    const job = this.#job;
    this.#job = undefined;
    this.destroy();
    job?.exchange.onResponseError(null, error ?? new ClosedEarlyError('other side closed'));
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.gone();
  }
}
