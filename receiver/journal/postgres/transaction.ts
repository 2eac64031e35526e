import type pg from 'pg';
import { streamOf } from './asked.ts';
import type { Queries } from './queries.ts';

/** What was to be decided by has changed meanwhile: once more. */
export class DecideAgain extends Error {
  /** The server's own code for this. */
  readonly code = '40001';

  constructor() {
    super('what the units were judged by has changed meanwhile');
    this.name = 'DecideAgain';
  }
}

/**
 * Does the work in one transaction, on a connection that pipelines: what the work does not await goes out with what comes
 * next, and the commit behind it. Resolves once it is on disk.
 * @throws the first error of all; the transaction is then to be rolled back by the caller
 */
export async function transaction(
  client: pg.ClientBase,
  work: (on: Queries) => Promise<void>,
): Promise<void> {
  let failed: unknown;
  const sent: Promise<unknown>[] = [];
  const together = gatherer(client);
  const on: Queries = {
    query(question) {
      together();
      const answer = client.query(question as pg.QueryConfig);
      sent.push(
        answer.catch((error: unknown) => {
          failed ??= error;
        }),
      );
      return answer;
    },
  };
  try {
    on.query({ text: 'BEGIN' }).catch(() => undefined);
    await work(on);
  } catch (error) {
    await Promise.all(sent);
    throw failed ?? error;
  }
  const end = on.query({ text: 'COMMIT' });
  end.catch(() => undefined);
  await Promise.all(sent);
  if (failed !== undefined) throw failed;
  // The server takes back a transaction that failed, and says so instead of an error.
  if ((await end).command !== 'COMMIT') throw new Error('the transaction was taken back');
}

/**
 * Statements that are sent in one turn leave in one write: a system call, and a wake-up of the server, costs more than most of
 * them do.
 */
function gatherer(client: pg.ClientBase): () => void {
  const stream = streamOf(client);
  let gathering = false;
  return () => {
    if (gathering) return;
    gathering = true;
    stream.cork();
    process.nextTick(() => {
      gathering = false;
      stream.uncork();
    });
  };
}
