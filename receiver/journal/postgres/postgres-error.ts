import { JournalError } from '../journal.ts';

type Code = JournalError['code'];

/** What the server's codes (SQLSTATE) mean for the journal at `%`, and the remedy. */
const MEANING: Readonly<Record<string, readonly [Code, string]>> = {
  '28P01': [
    'JournalUnavailable',
    'the database % refuses the password; give the right one in the URL or the password file',
  ],
  '28000': [
    'JournalUnavailable',
    'the database % refuses this user or this kind of connection; see pg_hba.conf, or whether sslmode fits',
  ],
  '3D000': ['JournalUnavailable', 'the database % does not exist; create it, or name another in the URL'],
  '42501': [
    'JournalUnavailable',
    'this user may not use the database %; let it own the schema: GRANT CREATE ON DATABASE … TO …',
  ],
  '53100': [
    'JournalFull',
    'the disk of the database % is full; free some space there, and the journal goes on by itself',
  ],
  '53300': [
    'JournalUnavailable',
    'the database % has no connection left; raise max_connections, or give fewer receivers or a smaller pool',
  ],
  '25006': [
    'JournalUnavailable',
    'the database % is read-only: a replica, or set so; connect to the primary',
  ],
  '57P03': ['JournalUnavailable', 'the database % is starting or stopping; the journal goes on by itself'],
};
const TLS: readonly [RegExp, string][] = [
  [
    /does not support SSL/,
    'the database % speaks no TLS; turn it on there, or add ?sslmode=disable to the URL if the network is trusted',
  ],
  [
    /self.signed|unable to verify|unable to get (local )?issuer|certificate|altnames/i,
    'the certificate of the database % is not trusted (!); name its authority with ?sslrootcert=FILE, or see which host it names',
  ],
];
const CONNECTION_CLASSES = /^(08|57P)/;
/** Serialization failure, deadlock, lock timeout: tried again with the same units, decided anew. */
const AGAIN = ['40001', '40P01', '55P03'];

/** Says what an error means for the journal in the database `shown`. */
export function journalError(error: unknown, shown: string): JournalError {
  if (error instanceof JournalError) return error;
  const detail = error instanceof Error && error.message !== '' ? error.message : sqlState(error);
  const meaning = MEANING[sqlState(error)] ?? tlsMeaning(detail);
  const [code, text] = meaning ?? ['JournalUnavailable', 'the database % cannot be used: !'];
  return new JournalError(code, text.replace('%', shown).replace('!', detail), error);
}

function tlsMeaning(detail: string): readonly [Code, string] | undefined {
  const found = TLS.find(([pattern]) => pattern.test(detail));
  return found === undefined ? undefined : ['JournalUnavailable', found[1]];
}

/** The server's code of an error, or Node's for a connection that failed, or nothing. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the same may succeed when it is tried again at once. */
export function isDecidedAgain(error: unknown): boolean {
  return AGAIN.includes(sqlState(error));
}

/** Whether the connection is gone, or the server with it: nothing can be said of what was under way. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error);
  return !/^[0-9A-Z]{5}$/.test(state) || CONNECTION_CLASSES.test(state) || state.startsWith('E');
}
