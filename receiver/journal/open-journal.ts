import type { Journal } from './journal.ts';
import { parsePostgresAddress } from './postgres/address.ts';
import type { HistoryLimits, Retention } from './sqlite/retention.ts';
import { openSqliteJournal } from './sqlite/sqlite-journal.ts';

/** Which journal, and what it is opened with. */
export interface JournalPlace {
  /** `postgres://…`; left out: the embedded one. */
  readonly url?: string;
  /** Holds the password where the URL has none. */
  readonly passwordFile?: string;
  /** How large it may be. */
  readonly maxBytes?: number;
  /** How long what is done is kept. */
  readonly retention?: Partial<Retention>;
  /** How much of what is done is kept, counted by kind; of the embedded one. */
  readonly limits?: HistoryLimits;
  /** Of the embedded one. */
  readonly directory: string;
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

type Open = (place: JournalPlace) => Promise<Journal>;

const EMBEDDED: Open = (place) => openSqliteJournal(place);

const postgres: Open = async (place) => {
  const [kind] = Object.keys(place.limits ?? {});
  if (kind !== undefined) {
    throw new RangeError(
      `limits.${kind}: a database's history is cut by time and whole tables and not counted by kind; give retention.${kind} or maxBytes`,
    );
  }
  const address = parsePostgresAddress(place.url ?? '', place.passwordFile);
  // Who keeps the journal in a file pays nothing for the other.
  const { openPostgresJournal } = await import('./postgres/postgres-journal.ts');
  return openPostgresJournal({ ...place, address });
};

const ENGINES: Readonly<Record<string, Open>> = { 'postgres:': postgres, 'postgresql:': postgres };

/**
 * Opens the journal by the engine that its URL's scheme names.
 * @throws JournalError, AddressError, RangeError for what its engine does not do
 */
export function openJournal(place: JournalPlace): Promise<Journal> {
  const { url } = place;
  if (url === undefined) return EMBEDDED(place);
  // What is no known scheme is told by whoever reads the address.
  return (ENGINES[url.slice(0, url.indexOf(':') + 1)] ?? postgres)(place);
}
