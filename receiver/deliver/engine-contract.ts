import type { CloudEvent } from '../event/event.ts';
import type { Settlement } from '../journal/journal.ts';
import type { TraceContext } from '../observe/trace-context.ts';
import type { DeliveryPolicy, Destination } from '../routing/table.ts';
import type { Answer } from './outbound.ts';
import type { Renderer } from './renderer.ts';

/** A delivery that the engine holds in memory. */
export interface HeldDelivery {
  /** The journal's id. */
  readonly id: number;
  /** `namespace/name` of the trigger. */
  readonly trigger: string;
  readonly shape: string;
  readonly event: CloudEvent;
  readonly entrance: string;
  readonly receivedAt: number;
  /** Attempts made so far. */
  readonly attempts: number;
  /** Others of its line wait in the journal until it has ended. */
  readonly line?: string | undefined;
  /** The span in which its event was received, where that is traced. */
  readonly trace?: TraceContext | undefined;
  /** What it carries out for a value stream; see task.ts. */
  readonly task?: string | undefined;
  /** Why it is a dead letter from the start. */
  readonly doomed?: string | undefined;
}

/** What value streams have to do with deliveries. */
export interface Tasks {
  /**
   * Offers an event that no step took to its stream again. Resolves with why it is still a dead letter, or with undefined
   * where it was taken and that is written already.
   */
  offer(delivery: HeldDelivery): Promise<string | undefined>;
  /** Writes how a step's delivery ended, together with its instance. */
  settle(delivery: HeldDelivery, settlement: Settlement, answer: Answer | undefined): void;
}

/** A trigger as delivery sees it now. */
export interface Route {
  readonly suspend: boolean;
  readonly destination: Destination;
  readonly policy: DeliveryPolicy;
}

/** What the engine asks of the routing table in force. Read at each attempt, never cached over one. */
export interface Routes {
  /** undefined: the trigger, or this step of it, is gone. */
  route(trigger: string, step?: string): Route | undefined;
  /**
   * The compiled Shape, from the table in force or the journal; undefined where it is in neither. A step's task gives
   * it the instance's context.
   */
  renderer(shape: string, task?: string): Renderer | undefined | Promise<Renderer | undefined>;
}

/** Makes deliveries happen: attempts, retries, dead letters. Created by `createEngine`. */
export interface DeliveryEngine {
  /** Whether memory takes that many more deliveries of that many bytes; where not, they are left to the journal. */
  room(deliveries: number, bytes: number): boolean;
  /** Hands over what has just been committed as `held`. Never blocks, never throws. */
  hand(deliveries: readonly HeldDelivery[]): void;
  /**
   * A new table is in force. `triggers` are those that it adds, changes or takes away (all of them after a start):
   * parked deliveries are released where their trigger may deliver now, or is gone (they become dead letters).
   */
  routesChanged(triggers: readonly string[]): void;
  /** Deliveries that this engine did not put there are due in the journal at that time. */
  due(at: number): void;
  /** Starts reading due deliveries back from the journal. */
  start(): void;
  /** Takes no more from the journal, finishes attempts under way (at most `graceMs`), leaves the rest to the journal. */
  drain(graceMs: number): Promise<void>;
  readonly held: number;
}
