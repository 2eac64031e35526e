import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { failureOf } from './exchange.ts';
import type { Failure, StreamHandle, StreamListener } from './outbound.ts';
import type { Roster, Seat } from './roster.ts';

/** What ends when its time is up, or when the client closes. */
export interface UnderWay {
  /** The client's tick at which its time is up. */
  readonly deadline: number;
  /** Ends it from outside, whatever state it is in. */
  stop(failure: Failure): void;
}

/** What a stream needs of the client that runs it. */
export interface StreamOwner {
  readonly underWay: Roster<UnderWay>;
  /** The tick that lies so many milliseconds ahead. */
  deadlineIn(ms: number): number;
}

/** How long a stream may take to begin, and to be silent. */
export interface StreamTimes {
  readonly openMs: number;
  readonly idleMs: number;
}

const SWITCHING = 101;

/**
 * One answer that does not end by itself, handed on piece by piece: an event stream, or after an upgrade whatever the two
 * ends speak. Its time begins anew with each piece, and stands still while it is paused.
 */
export class Stream implements Dispatcher.DispatchHandler, StreamHandle, UnderWay {
  deadline: number;
  readonly #owner: StreamOwner;
  readonly #seat: Seat<UnderWay>;
  readonly #times: StreamTimes;
  #listener: StreamListener | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #socket: Duplex | undefined;
  #hasBegun = false;
  #isPaused = false;

  constructor(owner: StreamOwner, times: StreamTimes, listener: StreamListener) {
    this.#owner = owner;
    this.#times = times;
    this.#listener = listener;
    this.deadline = owner.deadlineIn(times.openMs);
    this.#seat = owner.underWay.add(this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#listener === undefined) controller.abort(new Error('ended before it was sent'));
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#begin();
    this.#listener?.open(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#alive();
    this.#listener?.data(chunk);
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    this.#end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#controller = undefined;
    this.#end(failureOf(error));
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    _status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#controller = undefined;
    if (this.#listener === undefined) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on('error', (error) => this.#end(failureOf(error)));
    socket.on('close', () => this.#end(undefined));
    socket.on('end', () => socket.end());
    this.#listener.open(SWITCHING, headers);
    socket.on('data', (chunk: Buffer) => {
      this.#alive();
      this.#listener?.data(chunk);
    });
    this.#begin();
    // undici has just taken its own listeners off, and Node then lets a socket flow in the next tick, paused or not.
    process.nextTick(() => {
      if (this.#isPaused) socket.pause();
    });
  }

  write(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    // Before that there is nothing to pause, and its time to begin runs on.
    if (this.#hasBegun) this.#hold();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#hasBegun) return;
    this.#alive();
    this.#controller?.resume();
    this.#socket?.resume();
  }

  close(): void {
    this.#listener = undefined;
    this.#release();
  }

  stop(failure: Failure): void {
    this.#end(failure);
  }

  #begin(): void {
    this.#hasBegun = true;
    if (this.#isPaused) this.#hold();
    else this.#alive();
  }

  #hold(): void {
    this.deadline = Number.POSITIVE_INFINITY;
    this.#controller?.pause();
    this.#socket?.pause();
  }

  /** What was on its way when it was paused does not start its time again. */
  #alive(): void {
    if (this.#isPaused) return;
    this.deadline = this.#owner.deadlineIn(this.#times.idleMs);
  }

  #end(failure: Failure | undefined): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#release();
    listener?.end(failure);
  }

  #release(): void {
    this.#owner.underWay.remove(this.#seat);
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.abort(new Error('ended'));
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
