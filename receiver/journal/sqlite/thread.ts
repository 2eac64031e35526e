/** The journal's own thread: it opens the store it is given and serves it. An fsync blocks nobody but this thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { JournalError } from '../journal.ts';
import type { Failure, FromThread, Method, ToThread } from './protocol.ts';
import { journalError } from './sqlite-error.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

const port = parentPort;
if (port === null) throw new Error('this file is a worker thread of the journal');

function failureOf(error: unknown, directory: string): Failure {
  const { code, message } = error instanceof JournalError ? error : journalError(error, directory);
  return { code, message };
}

function serve(
  store: Store,
  directory: string,
  send: (message: FromThread, transfer?: ArrayBuffer[]) => void,
): void {
  const methods = store as unknown as Record<Method, (...args: readonly unknown[]) => unknown>;
  port?.on('message', (message: ToThread) => {
    if ('buffer' in message) {
      const { reply, deferred, error, lost } = store.write(message);
      const failure = error === undefined ? undefined : failureOf(error, directory);
      const { buffer, used } = message;
      send({ kind: 'written', reply, buffer, deferred, failure }, [reply, buffer]);
      if (lost) {
        store.abandon();
        throw new Error('reading or writing its files failed');
      }
      store.tidy(used);
      return;
    }
    const { id, method, args } = message;
    try {
      send({ kind: 'answer', id, result: methods[method](...args) });
      if (method === 'close') port?.close();
    } catch (error) {
      send({ kind: 'failed', id, failure: failureOf(error, directory) });
    }
  });
}

const options = workerData as StoreOptions;
const send = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
try {
  serve(openStore(options), options.directory, send);
  send({ kind: 'opened' });
} catch (error) {
  send({ kind: 'refused', failure: failureOf(error, options.directory) });
  port.close();
}
