import { Worker } from 'node:worker_threads';
import { JournalError, type Settlement, type Unit, type UnitOutcome } from '../journal.ts';
import { createPacer } from '../pace.ts';
import type { Answer, Failure, FromThread, Method } from './protocol.ts';
import { createReplyReader } from './reply.ts';
import type { StoreOptions } from './store.ts';
import { createBatchWriter } from './wire.ts';

/** A second batch is sent ahead of the first one's answer when it has grown to this: the thread then never waits. */
const AHEAD_BYTES = 128 << 10;
/** A batch that has grown to this is closed, whatever is under way. */
const LARGEST_BATCH = 4 << 20;
/** What a commit and the two wake-ups around it cost would fill the core long before calls do. */
const PACE_MS = 2;
const LONGEST_PACE_MS = 5;
/** How long a settlement waits for a commit to ride with. */
const SETTLE_MS = 3;
/** How long after a failure what was left over is tried again. */
const RETRY_MS = 250;

export type Done = (error: JournalError | undefined, outcomes: readonly UnitOutcome[]) => void;

interface Call {
  readonly units: number;
  readonly done: Done;
}

/** A running thread of the journal, seen from the receiver's. Created by `openSession`. */
export interface Session {
  commit(units: readonly Unit[], done: Done): void;
  settle(settlement: Settlement): void;
  putShape(hash: string, shape: string): void;
  ask<M extends Method>(method: M, ...args: readonly unknown[]): Promise<Answer<M>>;
  flush(): Promise<void>;
}

/**
 * Starts the thread and opens the store in it. `lost` is called once when the thread ends: everything pending has
 * failed by then.
 * @throws JournalError if the store can't be opened
 */
export function openSession(options: StoreOptions, lost: (error: JournalError) => void): Promise<Session> {
  // Bundled, the thread is a file beside the main one; from source, the one beside this.
  const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './journal-thread.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: options,
    // It packs bytes and makes hardly an object: the default young generation would only cost memory.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  return new Promise((resolve, reject) => {
    const { session, receive, fail } = createSession(worker);
    let state: 'opening' | 'open' | 'ended' = 'opening';

    function end(error: JournalError): void {
      if (state === 'ended') return;
      const before = state;
      state = 'ended';
      fail(error);
      if (before === 'opening') reject(error);
      else lost(error);
    }

    worker.on('message', (message: FromThread) => {
      if (message.kind === 'opened') {
        state = 'open';
        worker.unref();
        resolve(session);
      } else if (message.kind === 'refused') end(revived(message.failure));
      else receive(message);
    });
    worker.on('error', (error) => end(stopped(options.directory, error.message, error)));
    worker.on('exit', (code) => end(stopped(options.directory, `its thread ended with ${code}`)));
  });
}

function createSession(worker: Worker) {
  const writer = createBatchWriter();
  const questions = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: JournalError) => void }
  >();
  /** Calls of the batch in the making, and of those under way, oldest first. */
  let calls: Call[] = [];
  const underWay: Call[][] = [];
  let waiters: { batches: number; resolve: () => void; reject: (error: JournalError) => void }[] = [];
  let sent = 0;
  let answered = 0;
  let lastQuestion = 0;
  let left: JournalError | undefined;
  let ended: JournalError | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** While an answer is due, it keeps the process alive; an idle journal does not. */
  function hold(): void {
    if (underWay.length + questions.size === 1) worker.ref();
  }

  function release(): void {
    if (underWay.length + questions.size === 0) worker.unref();
  }

  function post(): void {
    clearTimeout(timer);
    timer = undefined;
    const batch = writer.take();
    pacer.went(calls.length);
    underWay.push(calls);
    calls = [];
    sent++;
    hold();
    worker.postMessage(batch, [batch.buffer]);
  }

  const pacer = createPacer({
    paceMs: PACE_MS,
    longestMs: LONGEST_PACE_MS,
    clock: () => performance.now(),
    after: setTimeout,
    nextTurn: setImmediate,
    calls: () => calls.length,
    go() {
      if (calls.length > 0 && ended === undefined && underWay.length === 0) post();
    },
  });

  function grown(): void {
    const size = writer.size;
    if (size >= LARGEST_BATCH || (underWay.length === 1 && calls.length > 0 && size >= AHEAD_BYTES)) post();
  }

  /** What nobody waits for goes with the next commit, or alone once the thread has had nothing to do for a moment. */
  function postWithin(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (ended === undefined && underWay.length === 0) post();
    }, ms).unref();
  }

  function goOn(deferred: number): void {
    if (underWay.length > 0) return;
    if (calls.length > 0) pacer.plan();
    else if (deferred > 0) postWithin(RETRY_MS);
    else if (writer.size > 0) postWithin(SETTLE_MS);
  }

  function written(message: Extract<FromThread, { kind: 'written' }>): void {
    writer.give(message.buffer);
    const answeredCalls = underWay.shift() ?? [];
    answered++;
    left = message.failure === undefined ? undefined : revived(message.failure);
    goOn(message.deferred);
    const reader = createReplyReader(message.reply);
    for (const { units, done } of answeredCalls) {
      const answer = reader.next(units);
      if (answer instanceof JournalError) call(done, answer, []);
      else call(done, undefined, answer);
    }
    const due = waiters.filter(({ batches }) => batches <= answered);
    waiters = waiters.filter(({ batches }) => batches > answered);
    for (const { resolve, reject } of due) {
      if (left === undefined) resolve();
      else reject(left);
    }
    release();
  }

  function receive(message: FromThread): void {
    if (message.kind === 'written') {
      written(message);
      return;
    }
    if (message.kind !== 'answer' && message.kind !== 'failed') return;
    const question = questions.get(message.id);
    questions.delete(message.id);
    release();
    if (message.kind === 'answer') question?.resolve(message.result);
    else question?.reject(revived(message.failure));
  }

  function fail(error: JournalError): void {
    ended = error;
    clearTimeout(timer);
    const lostCalls = [...underWay.splice(0).flat(), ...calls.splice(0)];
    for (const { done } of lostCalls) call(done, error, []);
    for (const { reject } of [...questions.values(), ...waiters.splice(0)]) reject(error);
    questions.clear();
  }

  const session: Session = {
    commit(units, done) {
      if (ended !== undefined) {
        queueMicrotask(() => done(ended, []));
        return;
      }
      writer.call(units);
      calls.push({ units: units.length, done });
      if (underWay.length === 0) pacer.plan();
      else grown();
    },
    settle(settlement) {
      if (ended !== undefined) return;
      writer.settle(settlement);
      grown();
      postWithin(SETTLE_MS);
    },
    putShape(hash, shape) {
      if (ended !== undefined) return;
      writer.shape(hash, shape);
      postWithin(SETTLE_MS);
    },
    ask(method, ...args) {
      if (ended !== undefined) return Promise.reject(ended);
      // What was handed over before is to be seen by the question.
      if (writer.size > 0) post();
      const id = ++lastQuestion;
      return new Promise((resolve, reject) => {
        questions.set(id, { resolve: resolve as (value: unknown) => void, reject });
        hold();
        worker.postMessage({ id, method, args });
      });
    },
    flush() {
      if (ended !== undefined) return Promise.reject(ended);
      if (writer.size > 0 || left !== undefined) post();
      if (answered === sent) return Promise.resolve();
      const batches = sent;
      return new Promise((resolve, reject) => waiters.push({ batches, resolve, reject }));
    },
  };
  return { session, receive, fail };
}

/** A callback that throws is its own caller's bug: it is thrown where nobody else is in the way. */
function call(done: Done, error: JournalError | undefined, outcomes: readonly UnitOutcome[]): void {
  try {
    done(error, outcomes);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

function revived({ code, message }: Failure): JournalError {
  return new JournalError(code, message);
}

function stopped(directory: string, reason: string, cause?: unknown): JournalError {
  return new JournalError('JournalUnavailable', `the journal in ${directory} has stopped: ${reason}`, cause);
}
