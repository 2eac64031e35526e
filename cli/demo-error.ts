import { ListenError } from '../receiver/http/listener.ts';
import { JournalError } from '../receiver/journal/journal.ts';
import { CommandError, EXIT } from './exit-codes.ts';

/** Says why `npm start` cannot go on, which has no options to choose otherwise. What is unknown is thrown on as it is. */
export function demoError(error: unknown): unknown {
  if (error instanceof ListenError) {
    const { host, port } = error.address;
    const why = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${error.code})`;
    const message = `The demo needs ${host}:${port}, which ${why}; free it and start again.`;
    return new CommandError(message, EXIT.failed, error);
  }
  if (error instanceof JournalError) {
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    return new CommandError(`${message}.`, EXIT.failed, error);
  }
  if (error instanceof Error && 'path' in error && 'code' in error) {
    const message = `${String(error.path)} cannot be used (${String(error.code)}); let this user read and write it.`;
    return new CommandError(message, EXIT.failed, error);
  }
  return error;
}
