import type { QueryResult } from 'pg';

/** A statement with its values; one that has a name is prepared once on each connection. */
export interface Question {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** Answers statements, on whichever connection. */
export interface Queries {
  query(question: Question): Promise<QueryResult>;
}

/** Asks where nobody needs the answer: in a transaction its end tells whether all went well. */
export function send(on: Queries, question: Question): void {
  on.query(question).catch(() => undefined);
}
