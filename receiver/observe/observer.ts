import type { Refusal } from './refusal.ts';
import type { Repeat } from './repeat-log.ts';

/** What the pipeline tells whoever watches: metrics, logs and records hang here. Must be cheap, and never throws. */
export interface Observer {
  /** An event was accepted, or repeated; `triggers` are those that took it, `ms` from its last byte to the commit. */
  accepted(entrance: string, duplicate: boolean, triggers: readonly string[], ms: number): void;
  /** A request proved itself: by the first of its endpoint's keys, or by a later one. */
  proved(by: 'first' | 'later'): void;
  /** The journal made something durable, `ms` after it was handed over. */
  committed(ms: number): void;
  /** A delivery was committed for a trigger. */
  queued(trigger: string): void;
  /** An event came again; told beside `accepted`. */
  repeated(repeat: Repeat): void;
  /** A request, or one event of a batch, was refused. */
  rejected(refusal: Refusal): void;
}
