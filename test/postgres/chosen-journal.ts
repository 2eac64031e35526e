import { inject } from 'vitest';
import { makeDatabase } from './suite.ts';

/** A journal of the engine that a test run is of. */
export interface ChosenJournal {
  /** Where it is; undefined: embedded, in a directory of the test's own. */
  readonly journal?: { readonly url: string };
  drop(): Promise<void>;
}

/**
 * The embedded journal, or with `SIGNALBOX_TEST_JOURNAL=postgres` an empty database: `npm run test:postgres` runs with it what
 * `npm test` runs with the other.
 */
export async function chosenJournal(): Promise<ChosenJournal> {
  const chosen = process.env['SIGNALBOX_TEST_JOURNAL'];
  if (chosen === undefined) return { drop: async () => undefined };
  if (chosen !== 'postgres') throw new Error(`SIGNALBOX_TEST_JOURNAL is ${chosen}; known is postgres`);
  const { url, missing } = inject('postgres');
  if (url === undefined) throw new Error(missing);
  const database = await makeDatabase(url);
  return { journal: { url: database.url }, drop: database.drop };
}
