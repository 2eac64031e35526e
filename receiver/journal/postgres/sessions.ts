import type pg from 'pg';
import type { Queries } from './queries.ts';

/** How often a session shows that it lives, and looks after the others. */
export const BEAT_MS = 2000;
/** A session that has not shown itself for so long is given up. With one beat more, well under ten seconds. */
const GIVEN_UP_MS = 6000;

/** How long each of the other sessions has stood still, by this process's own clock: no two clocks are compared. */
export interface Watch {
  /** Takes a look; answers those that have stood still for too long, with the beat they stand at. */
  look(sessions: readonly { readonly id: string; readonly beat: string }[], clock: number): Stalled[];
}

interface Stalled {
  readonly id: string;
  readonly beat: string;
}

/** Makes one that has seen nothing. A gap between looks (this process stood still, the database was away) starts anew. */
export function createWatch(): Watch {
  let seen = new Map<string, { beat: string; since: number }>();
  let last = Number.NEGATIVE_INFINITY;
  return {
    look(sessions, clock) {
      const gap = clock - last > 2 * BEAT_MS;
      last = clock;
      const before = gap ? new Map<string, { beat: string; since: number }>() : seen;
      seen = new Map(
        sessions.map(({ id, beat }) => {
          const earlier = before.get(id);
          return [id, earlier?.beat === beat ? earlier : { beat, since: clock }];
        }),
      );
      return sessions.filter(({ id }) => clock - (seen.get(id)?.since ?? clock) >= GIVEN_UP_MS);
    },
  };
}

/** Makes a session; its id. */
export async function beginSession(on: Queries, name: string): Promise<string> {
  const { rows } = await on.query({
    text: 'INSERT INTO session (name) VALUES ($1) RETURNING id',
    values: [name],
  });
  return (rows[0] as { id: string }).id;
}

/** Shows that a session lives; false: it has been given up. */
export async function beat(on: Queries, session: string): Promise<boolean> {
  const { rowCount } = await on.query({
    name: 'session-beat',
    text: 'UPDATE session SET beat = beat + 1 WHERE id = $1',
    values: [session],
  });
  return rowCount === 1;
}

/** The other sessions. */
export async function otherSessions(on: Queries, session: string): Promise<{ id: string; beat: string }[]> {
  const { rows } = await on.query({
    name: 'session-others',
    text: 'SELECT id, beat FROM session WHERE id <> $1',
    values: [session],
  });
  return rows as { id: string; beat: string }[];
}

/**
 * Ends a session: what it held is anybody's, its numbers go to those of slot 0. `beat`: only if it still stands there.
 * One message and one transaction, so that no lock waits for this process. How many deliveries became free; undefined:
 * it lives, or is gone already.
 */
export async function endSession(
  client: pg.ClientBase,
  session: string,
  stalledAt?: string,
): Promise<number | undefined> {
  const still = stalledAt === undefined ? '' : ` AND beat = ${Number(stalledAt)}`;
  const id = Number(session);
  try {
    const results = (await client.query(`BEGIN; SET LOCAL lock_timeout = 500;
      DELETE FROM session WHERE id = ${id}${still};
      UPDATE waiting SET holder = 0 WHERE holder = ${id} AND NOT EXISTS (SELECT FROM session WHERE id = ${id});
      DELETE FROM shape_of WHERE session = ${id} AND NOT EXISTS (SELECT FROM session WHERE id = ${id});
      WITH gone AS (DELETE FROM tally WHERE slot = ${id} AND NOT EXISTS (SELECT FROM session WHERE id = ${id}) RETURNING *)
      INSERT INTO tally SELECT 0, kind, owner, status, n FROM gone ORDER BY kind, owner, status
        ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n;
      COMMIT`)) as unknown as pg.QueryResult[];
    return results[2]?.rowCount === 1 ? (results[3]?.rowCount ?? 0) : undefined;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
