import {
  AddressError,
  type PostgresAddress,
  parsePostgresAddress,
} from '../receiver/journal/postgres/address.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** Which journal a receiver keeps, as its options say. */
export interface JournalChoice {
  readonly url: string;
  readonly passwordFile?: string;
}

/** The options that choose a journal. */
export const JOURNAL_OPTIONS: readonly Option[] = [
  {
    name: 'journal',
    value: 'URL',
    help: 'postgres://user@host/database, shared with other receivers. Default: in the data directory.',
  },
  {
    name: 'journal-password-file',
    value: 'FILE',
    help: 'Holds the password of that database.',
  },
];

/** The journal that the options choose; undefined: the embedded one. Throws UsageError. */
export function journalOf(parsed: Parsed): JournalChoice | undefined {
  const url = parsed.text('journal');
  const passwordFile = parsed.text('journal-password-file');
  if (url === undefined) {
    if (passwordFile === undefined) return undefined;
    throw new UsageError('--journal-password-file is for a database; name it with --journal.');
  }
  postgresAddressOf(url, passwordFile, '--journal');
  return { url, ...(passwordFile === undefined ? {} : { passwordFile }) };
}

/** Where a database is, as an option says it. Throws UsageError that names the option. */
export function postgresAddressOf(
  url: string,
  passwordFile: string | undefined,
  option: string,
): PostgresAddress {
  try {
    return parsePostgresAddress(url, passwordFile);
  } catch (error) {
    if (error instanceof AddressError) throw new UsageError(`${option}: ${error.message}.`);
    throw error;
  }
}
