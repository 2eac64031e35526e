import { hash } from 'node:crypto';

/**
 * What the receivers of one journal all call it, and nobody who has another: undefined for an embedded one, which is its
 * receiver's alone. It tells neither user nor password, nor where the database is.
 */
export function sharedJournal(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, port, pathname, searchParams } = new URL(url);
  const place = [searchParams.get('host') ?? hostname, port === '' ? '5432' : port, pathname];
  return hash('sha256', JSON.stringify(place)).slice(0, 16);
}
