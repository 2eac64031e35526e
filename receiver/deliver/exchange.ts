import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Answer, Failure, OutboundDone } from './outbound.ts';
import type { Roster, Seat } from './roster.ts';
import type { UnderWay } from './stream.ts';

/** Sentence for what commonly goes wrong on the way; anything else is told by its code. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed while sending',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name could not be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'the connection could not be opened in time',
  UND_ERR_SOCKET: 'the connection was closed before the answer was whole',
  UND_ERR_HEADERS_OVERFLOW: "the answer's headers are too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is not as long as it says',
};
const UNSENDABLE = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
const EMPTY = Buffer.alloc(0);

/** What an exchange needs of the client that runs it. */
export interface ExchangeOwner {
  readonly maxAnswerBytes: number;
  readonly underWay: Roster<UnderWay>;
  /** Calls `finish` of an exchange whose answer is whole, once its connection can take the next request. */
  afterRelease(exchange: Exchange): void;
}

/** Whoever carries it, and can be told to leave it. */
interface Abortable {
  abort(reason: Error): void;
}

/**
 * One request and its answer, as undici's dispatcher drives it. A class, and not a closure, because one is made per
 * attempt on the hot path and its methods are shared.
 */
export class Exchange implements Dispatcher.DispatchHandler, UnderWay {
  /** The client's tick at which its time is up. */
  readonly deadline: number;
  readonly #owner: ExchangeOwner;
  readonly #seat: Seat<UnderWay>;
  #done: OutboundDone | undefined;
  #controller: Abortable | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;
  #bytes = 0;

  constructor(owner: ExchangeOwner, deadline: number, done: OutboundDone) {
    this.#owner = owner;
    this.deadline = deadline;
    this.#done = done;
    this.#seat = owner.underWay.add(this);
  }

  onRequestStart(controller: Abortable): void {
    // Its time ran out while it waited for a connection: it must not be sent any more.
    if (this.#done === undefined) controller.abort(new Error('ended before it was sent'));
    else this.#controller = controller;
  }

  onResponseStart(_controller: Abortable, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Abortable, chunk: Buffer): void {
    const room = this.#owner.maxAnswerBytes - this.#bytes;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#bytes += kept.length;
    if (this.#first === undefined) this.#first = kept;
    else (this.#more ??= [this.#first]).push(kept);
    // What is judged is here; reading on would only let the target decide how long this takes.
    if (kept !== chunk) this.finish();
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    this.#owner.afterRelease(this);
  }

  /** Hands over the answer. */
  finish(): void {
    this.#end({ status: this.#status, headers: this.#headers, body: this.#body() }, undefined);
  }

  onResponseError(_controller: Abortable | null, error: Error): void {
    this.#controller = undefined;
    this.#end(undefined, failureOf(error));
  }

  /** Ends it from outside, whatever state it is in. */
  stop(failure: Failure): void {
    this.#end(undefined, failure);
  }

  #body(): Buffer {
    if (this.#more !== undefined) return Buffer.concat(this.#more);
    return this.#first ?? EMPTY;
  }

  #end(answer: Answer | undefined, failure: Failure | undefined): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#owner.underWay.remove(this.#seat);
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.abort(new Error('ended'));
    done(answer, failure);
  }
}

/** Tells an error in the product's own words: undici's and Node's may name more than a record should show. */
export function failureOf(error: Error & { readonly code?: string }): Failure {
  const code = error.code ?? error.name;
  if (code === 'EgressRefused') return { code, message: error.message };
  if (UNSENDABLE.has(code))
    return { code: 'Unsendable', message: `the request cannot be sent: ${error.message}` };
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') {
    return { code: 'Closed', message: 'the client was closed' };
  }
  const cause = CAUSES[code];
  return { code: 'NoAnswer', message: cause === undefined ? `no answer (${code})` : `${cause} (${code})` };
}
