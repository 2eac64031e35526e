import type { Observer } from '../observe/observer.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Runtime } from '../routing/runtime.ts';
import type { Admission } from './admission.ts';
import type { SlowSenders } from './slow-senders.ts';

/** What the public and the in-cluster listener share: where requests go, and what bounds them. */
export interface Door {
  readonly pipeline: Pipeline;
  /** The table in force. */
  readonly runtime: () => Runtime;
  readonly admission: Admission;
  readonly slow: SlowSenders;
  readonly observer: Observer;
  readonly now: () => number;
}
