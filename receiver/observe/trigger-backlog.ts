import type { TriggerCount } from '../journal/journal.ts';

/** How many deliveries of each trigger wait or are parked, kept and not counted when asked. */
export interface TriggerBacklog {
  /** A delivery was committed, or one that was dead was brought back. */
  added(trigger: string): void;
  /** A delivery was delivered, or is dead. */
  ended(trigger: string): void;
  of(trigger: string): number;
}

/** Makes one that begins with what an earlier process left. */
export function createTriggerBacklog(left: readonly TriggerCount[]): TriggerBacklog {
  const counts = new Map(left.map(({ trigger, count }) => [trigger, count]));

  function change(trigger: string, by: 1 | -1): void {
    const count = Math.max(0, (counts.get(trigger) ?? 0) + by);
    if (count === 0) counts.delete(trigger);
    else counts.set(trigger, count);
  }

  return {
    added: (trigger) => change(trigger, 1),
    ended: (trigger) => change(trigger, -1),
    of: (trigger) => counts.get(trigger) ?? 0,
  };
}
