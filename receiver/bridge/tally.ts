/** What a bridge has counted since it began to read here. */
export interface Tally {
  /** Messages that came from the backend. */
  messages: number;
  /** Of these, what could not be read. */
  broken: number;
  /** Events that `filters`, `queues` or `jobTypes` leave out. */
  unwanted: number;
  /** Changes that were known already from reading the job. */
  repeated: number;
  /** Events that are in the journal. */
  events: number;
  /** Events that were in the journal before. */
  duplicates: number;
  /** Of these, with other content. */
  differing: number;
  /** Events whose job told more, and events whose job could not be read for that. */
  enriched: number;
  unenriched: number;
  connects: number;
  /** Changes that were found by reading jobs. */
  found: number;
}

/** Makes a Tally of zeros. */
export function createTally(): Tally {
  return {
    messages: 0,
    broken: 0,
    unwanted: 0,
    repeated: 0,
    events: 0,
    duplicates: 0,
    differing: 0,
    enriched: 0,
    unenriched: 0,
    connects: 0,
    found: 0,
  };
}
