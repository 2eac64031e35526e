import type pg from 'pg';
import type { TriggerCount } from '../journal.ts';
import { run } from './connection.ts';
import type { Names } from './names.ts';

const COUNT = {
  name: 'count-undone',
  text: 'SELECT trigger, count(*)::int AS count FROM waiting GROUP BY trigger',
};

/** How many deliveries of each trigger are undone, whoever holds them. */
export async function countUndone(on: pg.Pool, names: Names): Promise<TriggerCount[]> {
  const rows = await run<{ trigger: number; count: number }>(on, COUNT, []);
  await names.read(
    on,
    rows.map(({ trigger }) => trigger),
  );
  return rows.map(({ trigger, count }) => ({ trigger: names.text(trigger), count }));
}
