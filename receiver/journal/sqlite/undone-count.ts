import type { DatabaseSync } from 'node:sqlite';
import type { TriggerCount } from '../journal.ts';
import { BEHIND } from './lines.ts';
import type { Names } from './names.ts';

/**
 * Prepares the count of what is undone, by trigger. Each part is read in the order of an index: sorted by SQLite, a million
 * rows would take 40 MB. What is held is in none, and is never many.
 */
export function createUndoneCount(db: DatabaseSync, names: Names): () => TriggerCount[] {
  const count = (from: string): string =>
    `SELECT trigger, count(*) AS count FROM waiting ${from} GROUP BY trigger`;
  const undone = db.prepare(`SELECT trigger, sum(count) AS count FROM (
      ${count('INDEXED BY waiting_turn WHERE state = 0 AND holder = 0')}
      UNION ALL ${count('INDEXED BY waiting_parked WHERE state = 1')}
      UNION ALL ${count(`INDEXED BY waiting_line WHERE line IS NOT NULL AND state = ${BEHIND}`)}
      UNION ALL ${count('NOT INDEXED WHERE state = 0 AND holder <> 0')}
    ) GROUP BY trigger`);
  return () => {
    const counts = undone.all() as { trigger: number; count: number }[];
    return counts.map(({ trigger, count }) => ({ trigger: names.text(trigger), count }));
  };
}
