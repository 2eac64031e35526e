/** What the receiver's thread and the journal's say to each other. */
import type { JournalError } from '../journal.ts';
import type { Store, Written } from './store.ts';
import type { Batch } from './wire.ts';

/** The methods that are asked for one by one. */
export type Method =
  | 'shape'
  | 'claim'
  | 'nextDue'
  | 'release'
  | 'events'
  | 'deliveries'
  | 'event'
  | 'stats'
  | 'countUndone'
  | 'rows'
  | 'moveDue'
  | 'dueRows'
  | 'nextRowDue'
  | 'listRows'
  | 'countRows'
  | 'prune'
  | 'close';

export interface Request {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** An error on its way: a class does not survive the way between threads. */
export interface Failure {
  readonly code: JournalError['code'];
  readonly message: string;
}

export type ToThread = Batch | Request;

export type FromThread =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | {
      readonly kind: 'written';
      readonly reply: ArrayBuffer;
      /** The batch's buffer, to be used again. */
      readonly buffer: ArrayBuffer;
      readonly deferred: Written['deferred'];
      readonly failure: Failure | undefined;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };

/** What a method answers. */
export type Answer<M extends Method> = ReturnType<Store[M]>;
