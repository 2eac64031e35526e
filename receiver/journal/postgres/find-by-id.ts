import { eventsIn, wantedBytes } from './id-blocks.ts';
import { boundsOf } from './partitions.ts';
import type { Queries } from './queries.ts';

/** How many rows one step compares: some ten milliseconds. */
const STEP = 50_000;
/** How many rows with the id, and how many events of them, one step answers. */
const MOST_ROWS = 500;
const MOST_EVENTS = 500;

const FIND = {
  name: 'id-find',
  text: `SELECT first, hashes, n FROM (SELECT first, hashes, row_number() OVER () AS n FROM (
      SELECT first, hashes FROM every_id_block WHERE first < $1 AND first >= $2 ORDER BY first DESC LIMIT ${STEP}) each
    ) numbered WHERE n = ${STEP} OR position($3::bytea IN hashes) > 0 ORDER BY n LIMIT ${MOST_ROWS}`,
};
const SINCE = { name: 'id-since', text: 'SELECT part FROM id_since' };

/** What one step of a search has found. */
export interface FoundById {
  /** Numbers of events that may have the id, newest first. */
  readonly events: readonly number[];
  /** Below this the search goes on; undefined: there is nothing left that was noted. */
  readonly before: number | undefined;
}

/** Finds events by their id without reading them all. */
export interface IdIndex {
  /** The first event's number from which on ids were noted: those below are to be read through. */
  since(): Promise<number>;
  find(id: string, before: number): Promise<FoundById>;
}

/** Makes it. */
export function createIdIndex(on: Queries): IdIndex {
  let known: number | undefined;

  async function since(): Promise<number> {
    known ??= boundsOf(((await on.query(SINCE)).rows[0] as { part: number }).part).first;
    return known;
  }

  return {
    since,
    async find(id, before) {
      const wanted = wantedBytes(id);
      const { rows } = await on.query({ ...FIND, values: [before, await since(), wanted] });
      const blocks = rows as { first: string; hashes: Buffer; n: string }[];
      const events = blocks
        .flatMap(({ first, hashes }) => eventsIn({ first: Number(first), hashes }, wanted))
        .filter((event) => event < before);
      if (events.length > MOST_EVENTS) {
        const some = events.slice(0, MOST_EVENTS);
        return { events: some, before: some.at(-1) };
      }
      const last = blocks.at(-1);
      const more = last !== undefined && (blocks.length === MOST_ROWS || Number(last.n) === STEP);
      return { events, before: more ? Number(last.first) : undefined };
    },
  };
}
