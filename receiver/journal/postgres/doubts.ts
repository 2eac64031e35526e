import { setTimeout as after } from 'node:timers/promises';
import type pg from 'pg';
import { int8s } from './binary-array.ts';

/** How often the end of a server process that was told to end is looked for. */
const LOOK_MS = 50;
const LOOKS = 100;

/** A commit, of events or of a claim, whose answer never came. */
interface Doubt {
  /** The server's process that was to carry it out. */
  readonly process: number;
  readonly held: readonly number[];
}

/**
 * Commits that may have come about although their callers were told that they had not: the deliveries would be held by this
 * session, which does not know them.
 */
export interface Doubts {
  open(client: pg.ClientBase, held: readonly number[]): void;
  /** The answer came. */
  settled(): void;
  /** Whether an answer is missing, or still to come. */
  any(): boolean;
  /** Gives what is in doubt to anybody, and tells how much that is; to be called before what comes next is begun. */
  resolve(client: pg.ClientBase, session: string): Promise<number>;
}

/** Makes one without doubts. */
export function createDoubts(): Doubts {
  let doubts: Doubt[] = [];
  let present: Doubt | undefined;

  return {
    open(client, held) {
      const process = (client as unknown as { processID: number | null }).processID ?? 0;
      present = held.length > 0 ? { process, held } : undefined;
    },
    settled() {
      present = undefined;
    },
    any: () => present !== undefined || doubts.length > 0,
    async resolve(client, session) {
      if (present !== undefined) doubts.push(present);
      present = undefined;
      let given = 0;
      for (const { process, held } of doubts) {
        // Whatever that process still does is over before we look at what it did.
        await ended(client, process);
        const { rowCount } = await client.query({
          text: 'UPDATE waiting SET holder = 0 WHERE id = ANY($1::int8[]) AND holder = $2',
          values: [int8s(held), session],
        });
        given += rowCount ?? 0;
      }
      doubts = [];
      return given;
    },
  };
}

async function ended(client: pg.ClientBase, process: number): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const { rows } = await client.query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid = $1 AND usename = current_user AND application_name = 'signalbox'`,
      values: [process],
    });
    if (rows.length === 0) return;
    await after(LOOK_MS);
  }
  throw new Error(`the server's process ${process} does not end`);
}
