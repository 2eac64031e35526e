import { ListenError } from '../../receiver/http/listener.ts';
import { JournalError } from '../../receiver/journal/journal.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

/** What a person is told of each trouble, who may have options to choose otherwise. */
export interface StartWords {
  listener(error: ListenError): string;
  /** `trouble` is a sentence of the journal's own. */
  journal(trouble: string): string;
  file(path: string, code: string): string;
}

/** Says why what listens and keeps a journal did not start. What is unknown is thrown on as it is. */
export function toldBy(words: StartWords, error: unknown): unknown {
  const message = messageOf(words, error);
  return message === undefined ? error : new CommandError(message, EXIT.failed, error);
}

function messageOf(words: StartWords, error: unknown): string | undefined {
  if (error instanceof ListenError) return words.listener(error);
  if (error instanceof JournalError)
    return words.journal(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
  if (error instanceof Error && 'path' in error && 'code' in error)
    return words.file(String(error.path), String(error.code));
  return undefined;
}

/** As `toldBy`, for a receiver's options. `database`: the journal is not in the data directory. */
export function startError(error: unknown, dataDirectory: string, database = false): unknown {
  const named = database ? 'The database is what --journal names.' : 'The directory is what --data names.';
  const words: StartWords = {
    listener: ({ message }) => message,
    journal: (trouble) => `${trouble} ${named}`,
    // What is left of file trouble is the admin token's: the journal was opened before it.
    file: (path, code) =>
      `${path} in the data directory ${dataDirectory} cannot be used (${code}); let this user read and write it, or choose another directory with --data.`,
  };
  return toldBy(words, error);
}
