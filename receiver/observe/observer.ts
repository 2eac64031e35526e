import type { Refusal } from './refusal.ts';
import type { Repeat } from './repeat-log.ts';

/** What the pipeline tells whoever watches: metrics, logs and records hang here. Must be cheap, and never throws. */
export interface Observer {
  /** An event was accepted, or repeated; `triggers` is how many took it, `ms` from its last byte to the commit. */
  accepted(entrance: string, duplicate: boolean, triggers: number, ms: number): void;
  /** An event came again; told beside `accepted`. */
  repeated(repeat: Repeat): void;
  /** A request, or one event of a batch, was refused. */
  rejected(refusal: Refusal): void;
}
