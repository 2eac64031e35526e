import type { TriggerCount } from '../journal/journal.ts';

/** How many deliveries of each trigger wait or are parked, kept and not counted when asked. */
export interface TriggerBacklog {
  /** A delivery was committed, or one that was dead was brought back. */
  added(trigger: string): void;
  /** A delivery was delivered, or is dead. */
  ended(trigger: string): void;
  of(trigger: string): number;
  /** What the journal counts now: where receivers share it, others add to it and end what is in it. */
  recounted(counts: readonly TriggerCount[]): void;
}

/** Makes one that begins with what an earlier process left. */
export function createTriggerBacklog(left: readonly TriggerCount[]): TriggerBacklog {
  let counts = byTrigger(left);

  function change(trigger: string, by: 1 | -1): void {
    const count = Math.max(0, (counts.get(trigger) ?? 0) + by);
    if (count === 0) counts.delete(trigger);
    else counts.set(trigger, count);
  }

  return {
    added: (trigger) => change(trigger, 1),
    ended: (trigger) => change(trigger, -1),
    of: (trigger) => counts.get(trigger) ?? 0,
    recounted(found) {
      counts = byTrigger(found);
    },
  };
}

function byTrigger(counts: readonly TriggerCount[]): Map<string, number> {
  return new Map(counts.map(({ trigger, count }) => [trigger, count]));
}
