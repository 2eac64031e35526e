import { type Circuit, createCircuit } from './circuit.ts';
import type { Lane } from './lane.ts';

/** What all triggers that deliver to one URL share. */
export interface DestinationState {
  readonly url: string;
  readonly circuit: Circuit;
  /** Attempts under way. */
  inFlight: number;
  /** The widest `concurrency` among its triggers: all together take no more. */
  width: number;
  /** Lanes that wait until an attempt there ends. */
  waiting: Lane[];
}

/** The destinations that were delivered to of late. */
export interface Destinations {
  of(url: string): DestinationState;
  /** Forgets those at rest. */
  prune(): void;
  readonly size: number;
}

/** Makes an empty collection. */
export function createDestinations(): Destinations {
  const states = new Map<string, DestinationState>();
  return {
    of(url) {
      let state = states.get(url);
      if (state === undefined) {
        state = { url, circuit: createCircuit(), inFlight: 0, width: 0, waiting: [] };
        states.set(url, state);
      }
      return state;
    },
    prune() {
      for (const [url, state] of states) {
        if (state.inFlight === 0 && state.waiting.length === 0 && !state.circuit.isOpen) states.delete(url);
      }
    },
    get size() {
      return states.size;
    },
  };
}
