import type { Socket } from 'node:net';
import { overloaded } from '../../refusals.ts';
import type { Admission } from '../admission.ts';
import type { Answer } from '../answer.ts';
import { carry, type HotPath, type Intake, isTaken, type Recorder, turnedAway } from '../intake.ts';
import type { Encode, Encoded } from './encode.ts';
import type { PlainHead, ReadHead } from './head.ts';

/** What the connections of one listener share. */
export interface FrontParts {
  readonly path: HotPath;
  readonly admission: Admission;
  readonly recorder: Recorder;
  readonly readHead: ReadHead;
  readonly encode: Encode;
  /** Bytes of a head; more is for `node:http`. */
  readonly headBytes: number;
  /** Gives a socket to `node:http`, for good. */
  readonly handOver: (socket: Socket) => void;
  /** A connection is no longer the front's. */
  readonly left: (connection: FrontConnection) => void;
}

/** A request of more bytes, head and body, is for `node:http`, which reads it as it comes. */
const LARGEST_REQUEST = 65_536;
/** A request that comes in more pieces is slow, or means harm. */
const MOST_PIECES = 16;
/** Requests of one connection under way at once. */
const MOST_OWED = 32;
/** A body is kept where it came if what came with it is at most so many times its size; else it is copied. */
const OWN_PART = 8;
/** A request that is not whole after so many sweeps is slow; so is a first one that has not begun. */
const SLOW_SWEEPS = 2;

/** What Node answers where a sender ends in the middle of a request. */
const CUT_OFF = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

/** Serving; to be given to `node:http` once nothing is owed; to be ended then; no longer the front's. */
type State = 'serving' | 'leaving' | 'ending' | 'gone';

/** A request that was taken and waits for its answer, or for those before it. */
interface Owed {
  readonly close: boolean;
  /** Of its body, as granted by admission. */
  bytes: number;
  /** It has a place among the requests under way. */
  entered: boolean;
  answer: Encoded | undefined;
}

/**
 * One connection while all that comes on it is plain requests of the hot path. It answers in the order of the requests,
 * and one write carries all answers that are ready. Anything else stops it: what is owed is answered, and the socket goes
 * to `node:http` with every byte that was not served.
 */
export class FrontConnection {
  readonly #socket: Socket;
  readonly #front: FrontParts;
  #state: State = 'serving';
  /** What came and was not served, in order. */
  #pieces: Buffer[] = [];
  #unserved = 0;
  /** How many pieces came since the request at its beginning began, also where they were put together meanwhile. */
  #parts = 0;
  /** How much of it makes the next request, where that is known. */
  #needed = 0;
  /** How much of it admission has granted. */
  #held = 0;
  #owed: Owed[] = [];
  /** The sender does not take its answers. */
  #full = false;
  /** Answers go out once the present callback is over. */
  #planned = false;
  /** Sweeps since a request began or was answered. */
  #quiet = 0;
  #begun = false;

  constructor(socket: Socket, front: FrontParts) {
    this.#socket = socket;
    this.#front = front;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  /** To be called regularly: what is slow goes to `node:http`, whose time limits are the rule; what is idle ends. */
  sweep(idleSweeps: number): void {
    if (this.#owed.length > 0) return;
    this.#quiet += 1;
    const waiting = this.#state === 'serving' && (this.#unserved > 0 || !this.#begun);
    if (waiting && !this.#full && this.#quiet >= SLOW_SWEEPS) this.#stop('leaving');
    else if (this.#quiet >= idleSweeps) this.#socket.destroy();
  }

  /** Takes nothing new: what is owed is answered, and what is idle ends. */
  drain(): void {
    if (this.#owed.length > 0) this.#stop('ending');
    else if (this.#unserved > 0 || !this.#begun) this.#stop('leaving');
    else this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    // Behind its last request there is nothing to be answered. It is read all the same: a connection that is closed with
    // bytes unread is reset, and its answer may be lost.
    if (this.#state === 'ending') return;
    if (this.#unserved === 0) {
      // Only a request that begins shows that its sender is not slow.
      this.#quiet = 0;
      this.#parts = 0;
      if (this.#mayServe()) {
        this.#serve(chunk);
        return;
      }
    }
    this.#keep(chunk);
    this.#parts += 1;
    if (this.#parts > MOST_PIECES) this.#stop('leaving');
    this.#goOn();
  };

  readonly #onEnd = (): void => {
    if (this.#state === 'serving' && this.#unserved > 0 && this.#owed.length === 0) {
      this.#socket.write(CUT_OFF);
      this.#socket.destroy(cutOff());
    }
    this.#stop('ending');
  };

  readonly #onClose = (): void => this.#leave();

  readonly #onDrain = (): void => {
    this.#full = false;
    this.#goOn();
  };

  #mayServe(): boolean {
    return this.#state === 'serving' && !this.#full && this.#owed.length < MOST_OWED;
  }

  /** Serves the requests that are whole, as many as may be under way; keeps the rest. */
  #serve(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#mayServe()) {
      const end = this.#serveOne(bytes, at);
      if (end === at) break;
      at = end;
    }
    if (at === bytes.length || this.#state === 'ending') return;
    if (at > 0) this.#parts = 0;
    this.#keep(at === 0 ? bytes : bytes.subarray(at));
    if (!this.#mayServe()) this.#socket.pause();
    if (this.#state === 'leaving') this.#goOn();
  }

  /** Serves the request that begins at `start`; answers where it ends, `start` where it cannot be served now. */
  #serveOne(bytes: Buffer, start: number): number {
    const head = this.#front.readHead(bytes, start);
    const headEnd = typeof head === 'string' ? bytes.length : head.bodyAt;
    if (head === 'other' || headEnd - start > this.#front.headBytes) this.#state = 'leaving';
    if (typeof head === 'string' || this.#state === 'leaving') return start;
    const intake = this.#front.path(head);
    const end = headEnd + head.bodyLength;
    if (!isTaken(intake) || head.bodyLength > intake.limit || end - start > LARGEST_REQUEST) {
      this.#state = 'leaving';
      return start;
    }
    if (end > bytes.length) {
      this.#needed = end - start;
      return start;
    }
    this.#carry(intake, head, ownBody(bytes, headEnd, end));
    return end;
  }

  #carry(intake: Intake, { method, url, headers, close }: PlainHead, body: Buffer): void {
    const { admission, recorder } = this.#front;
    const owed: Owed = { close, bytes: 0, entered: false, answer: undefined };
    this.#owed.push(owed);
    this.#begun = true;
    if (close) this.#state = 'ending';
    if (admission.hold(body.length)) {
      owed.bytes = body.length;
      owed.entered = admission.enter();
    }
    if (owed.entered)
      carry(intake, { method, url, headers, body }, recorder, (answer) => this.#answer(owed, answer));
    else this.#answer(owed, turnedAway(intake, recorder, overloaded(), body.length));
  }

  #answer(owed: Owed, answer: Answer): void {
    if (owed.answer !== undefined) return;
    const last = this.#state === 'ending' && owed === this.#owed.at(-1);
    owed.answer = this.#front.encode(answer, owed.close || last);
    const { admission } = this.#front;
    if (owed.entered) admission.leave();
    admission.release(owed.bytes);
    if (this.#state === 'gone' || this.#owed[0] !== owed) return;
    if (this.#owed.length === 1) {
      this.#flush();
    } else if (!this.#planned) {
      this.#planned = true;
      queueMicrotask(this.#flush);
    }
  }

  readonly #flush = (): void => {
    this.#planned = false;
    if (this.#state === 'gone') return;
    let text = '';
    let ascii = true;
    for (let answer = this.#owed[0]?.answer; answer !== undefined; answer = this.#owed[0]?.answer) {
      text += answer.text;
      ascii &&= answer.ascii;
      this.#owed.shift();
    }
    this.#quiet = 0;
    this.#full = !this.#socket.write(text, ascii ? 'latin1' : 'utf8');
    this.#goOn();
  };

  #keep(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#unserved += bytes.length;
    if (this.#state !== 'serving') return;
    if (this.#front.admission.hold(bytes.length)) this.#held += bytes.length;
    else this.#stop('leaving');
  }

  /** Takes all that was kept. */
  #take(): Buffer {
    const [first] = this.#pieces;
    const bytes = first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#unserved = 0;
    this.#needed = 0;
    this.#release();
    return bytes;
  }

  #release(): void {
    if (this.#held > 0) this.#front.admission.release(this.#held);
    this.#held = 0;
  }

  #stop(state: 'leaving' | 'ending'): void {
    if (this.#state !== 'serving') return;
    this.#state = state;
    if (state === 'leaving') this.#socket.pause();
    this.#goOn();
  }

  /** Does what can be done now that something has changed. */
  #goOn(): void {
    if (this.#state === 'serving') {
      if (this.#unserved > 0 && this.#unserved >= this.#needed && this.#mayServe()) this.#serve(this.#take());
      if (this.#mayServe() && this.#socket.isPaused()) this.#socket.resume();
    } else if (this.#owed.length === 0) {
      if (this.#state === 'leaving') this.#handOver();
      else if (this.#state === 'ending') this.#socket.destroySoon();
    }
  }

  #handOver(): void {
    this.#leave();
    const socket = this.#socket;
    const unserved = this.#unserved > 0 ? this.#take() : undefined;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', ignore);
    socket.off('close', this.#onClose).off('drain', this.#onDrain);
    socket.pause();
    if (unserved !== undefined) socket.unshift(unserved);
    this.#front.handOver(socket);
    socket.resume();
  }

  #leave(): void {
    this.#state = 'gone';
    this.#release();
    this.#front.left(this);
  }
}

/** What Node's parser says of it, for whoever watches the errors of connections. */
function cutOff(): Error {
  return Object.assign(new Error('it ended before it was whole'), { code: 'HPE_INVALID_EOF_STATE' });
}

/** The close that follows an error says all. */
function ignore(): void {}

/** A body is kept where it is, unless it would keep much more in memory than itself. */
function ownBody(bytes: Buffer, start: number, end: number): Buffer {
  const body = bytes.subarray(start, end);
  return (end - start) * OWN_PART < bytes.buffer.byteLength ? Buffer.from(body) : body;
}
