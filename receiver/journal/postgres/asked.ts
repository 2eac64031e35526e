import type { Duplex } from 'node:stream';
import type pg from 'pg';

type Told = (error: Error | null, result: pg.QueryResult) => void;
type Query = (question: unknown, values: unknown, told: Told) => void;

/** The connection's own stream, which `pg` does not show. */
export function streamOf(client: pg.ClientBase): Duplex {
  return (client as unknown as { readonly connection: { readonly stream: Duplex } }).connection.stream;
}

/**
 * Has a client give its connection up when it owes an answer for longer than this; what was asked fails then.
 *
 * `pg` can do both itself, this and promises, but it puts a query's callback in once the query is made, which has V8 take
 * nearly all that a transaction is made of for old. Here the callback is there from the start, and one timer serves all.
 */
export function answeredWithin(ms: number, client: pg.Client): pg.Client {
  const query = client.query.bind(client) as Query;
  let owed = 0;
  let overdue: NodeJS.Timeout | undefined;

  function told(then: Told): Told {
    owed += 1;
    if (owed === 1) overdue = setTimeout(() => streamOf(client).destroy(), ms);
    return (error, result) => {
      owed -= 1;
      if (owed === 0) clearTimeout(overdue);
      else overdue?.refresh();
      then(error, result);
    };
  }

  client.query = ((question: unknown, values: unknown) =>
    new Promise<pg.QueryResult>((resolve, reject) => {
      const then: Told = (error, result) => (error === null ? resolve(result) : reject(error));
      query(question, values, told(then));
    })) as typeof client.query;
  return client;
}
