import type { Entry } from './table.ts';

/** What one list of entries has and another has not. */
export interface Difference {
  readonly left: readonly Entry[];
  readonly arrived: readonly Entry[];
}

/**
 * Which objects left and which arrived between two lists. An edit changes one shard among many: what is the same at both
 * ends costs no more than to be passed by.
 */
export function difference(before: readonly Entry[], after: readonly Entry[]): Difference {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const left = new Set(before.slice(head, before.length - tail));
  const arrived = after.slice(head, after.length - tail).filter((entry) => !left.delete(entry));
  return { left: [...left], arrived };
}
