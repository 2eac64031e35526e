import type { DeathCause } from './verdict.ts';

/** What the engine tells whoever counts. Must be cheap, and never throws. */
export interface DeliveryObserver {
  /** An attempt ended; `kind` is the target's, `ms` how long it took. */
  attempted(kind: 'job' | 'sink', outcome: 'delivered' | 'retried' | 'dead', ms: number): void;
  /** A delivery had its first attempt since it was made or redriven, or came to its end without one. */
  tried(): void;
  /** A delivery was made, or is a dead letter. */
  ended(trigger: string, state: 'delivered' | 'dead'): void;
  /** A delivery became a dead letter. */
  dead(cause: DeathCause): void;
}
