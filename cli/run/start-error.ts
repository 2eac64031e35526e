import { ListenError } from '../../receiver/http/listener.ts';
import { JournalError } from '../../receiver/journal/journal.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

/**
 * Says why the receiver did not start, for the person who started it. What is unknown is thrown on as it is. `database`: the
 * journal is not in the data directory.
 */
export function startError(error: unknown, dataDirectory: string, database = false): unknown {
  if (error instanceof ListenError) return new CommandError(error.message, EXIT.failed, error);
  if (error instanceof JournalError) {
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    const named = database ? 'The database is what --journal names.' : 'The directory is what --data names.';
    return new CommandError(`${message}. ${named}`, EXIT.failed, error);
  }
  // What is left of file trouble is the admin token's: the journal was opened before it.
  if (error instanceof Error && 'path' in error && 'code' in error) {
    const message = `${String(error.path)} in the data directory ${dataDirectory} cannot be used (${String(error.code)}); let this user read and write it, or choose another directory with --data.`;
    return new CommandError(message, EXIT.failed, error);
  }
  return error;
}
