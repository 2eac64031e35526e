import type { DatabaseSync } from 'node:sqlite';

/** Whose deliveries are next, where more is due than a claim takes: triggers take turns, and each claim goes on after the last. */
export interface Turns {
  /** The triggers with something due, the one whose turn it is first. */
  due(now: number, except: ReadonlySet<number>): number[];
  /** A trigger had its turn. */
  had(trigger: number): void;
  /** When the earliest delivery is due that is not of one of these triggers. */
  earliest(except: ReadonlySet<number>): number | undefined;
}

/** Prepares the statements. */
export function createTurns(db: DatabaseSync): Turns {
  // From each trigger straight to the next one in the index, however many deliveries lie between.
  const each = db.prepare(`WITH RECURSIVE head(trigger, due) AS (
      SELECT * FROM (SELECT trigger, due FROM waiting INDEXED BY waiting_turn
        WHERE state = 0 AND holder = 0 ORDER BY trigger, due LIMIT 1)
      UNION ALL SELECT w.trigger, w.due FROM head JOIN waiting w ON w.id = (SELECT id FROM waiting INDEXED BY waiting_turn
        WHERE state = 0 AND holder = 0 AND trigger > head.trigger ORDER BY trigger, due LIMIT 1)
    ) SELECT trigger, due FROM head WHERE due <= ?`);
  const first = db.prepare(
    'SELECT trigger, due FROM waiting WHERE state = 0 AND holder = 0 ORDER BY due LIMIT 1',
  );
  let last = 0;

  function heads(until: number, except: ReadonlySet<number>): { trigger: number; due: number }[] {
    const found = each.all(until) as unknown as { trigger: number; due: number }[];
    return found.filter(({ trigger }) => !except.has(trigger));
  }

  return {
    due(now, except) {
      const triggers = heads(now, except).map(({ trigger }) => trigger);
      const next = triggers.findIndex((trigger) => trigger > last);
      return next <= 0 ? triggers : [...triggers.slice(next), ...triggers.slice(0, next)];
    },
    had(trigger) {
      last = trigger;
    },
    earliest(except) {
      const head = first.get() as { trigger: number; due: number } | undefined;
      if (head === undefined || !except.has(head.trigger)) return head?.due;
      let earliest: number | undefined;
      for (const { due } of heads(Number.MAX_SAFE_INTEGER, except))
        if (earliest === undefined || due < earliest) earliest = due;
      return earliest;
    },
  };
}
