import type { Route } from './engine-contract.ts';

/** Why a trigger may not deliver now, so that its deliveries are parked; undefined where it may. */
export function heldUp({ suspend, destination }: Pick<Route, 'suspend' | 'destination'>): string | undefined {
  return suspend ? 'suspended' : destination.unresolved;
}
