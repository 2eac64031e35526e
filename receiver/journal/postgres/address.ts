import { readFileSync } from 'node:fs';

/** Where a database is and how it is reached. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** False: plain. Otherwise what TLS is asked to prove. */
  readonly ssl: false | TlsDemand;
  /** Most connections of one receiver beside its writer and its heartbeat. */
  readonly pool: number;
  /** How messages name it: no password. */
  readonly shown: string;
}

/** What TLS is asked to prove; the members are those of `tls.connect`. */
export interface TlsDemand {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Left out: the certificate must name the host. */
  readonly checkServerIdentity?: () => undefined;
}

/** An address that says nothing usable; the message names the part and the remedy. */
export class AddressError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddressError';
  }
}

const FORM = 'postgres://user@host:5432/database';
const DEFAULT_POOL = 4;
const LARGEST_POOL = 100;
const KNOWN = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'pool', 'host'];
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads `postgres://user[:password]@host[:port]/database[?sslmode=…&sslrootcert=…&sslcert=…&sslkey=…&pool=…&host=…]`. Where
 * `sslmode` is left out it is `verify-full`, on a loopback address or a Unix socket `disable`.
 * @throws AddressError
 */
export function parsePostgresAddress(text: string, passwordFile?: string): PostgresAddress {
  const url = urlOf(text);
  const hostname = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  const host = there('host', url.searchParams.get('host') ?? hostname);
  const user = there('user', decodeURIComponent(url.username));
  const database = there('database', decodeURIComponent(url.pathname.slice(1)));
  const port = url.port === '' ? 5432 : Number(url.port);
  const inUrl = url.password === '' ? undefined : decodeURIComponent(url.password);
  if (inUrl !== undefined && passwordFile !== undefined) {
    throw new AddressError('it has a password and there is a password file; give one of them');
  }
  return {
    host,
    port,
    database,
    user,
    password:
      passwordFile === undefined ? inUrl : fileOf('the password file', passwordFile).replace(/\r?\n$/, ''),
    ssl: tlsOf(url.searchParams, isLocal(host)),
    pool: poolOf(url.searchParams.get('pool')),
    shown: `postgres://${user}@${host}:${port}/${database}`,
  };
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new AddressError(`it is no URL like ${FORM}`);
  for (const name of url.searchParams.keys()) {
    if (!KNOWN.includes(name))
      throw new AddressError(`"${name}" is not known; known are ${KNOWN.join(', ')}`);
  }
  return url;
}

function there(what: string, text: string): string {
  if (text === '') throw new AddressError(`it has no ${what}; write ${FORM}`);
  return text;
}

function tlsOf(parameters: URLSearchParams, local: boolean): false | TlsDemand {
  const mode = parameters.get('sslmode') ?? (local ? 'disable' : 'verify-full');
  if (!MODES.includes(mode)) throw new AddressError(`sslmode "${mode}" is none of ${MODES.join(', ')}`);
  if (mode === 'disable') return false;
  const read = (name: string): string | undefined => {
    const file = parameters.get(name);
    return file === null ? undefined : fileOf(name, file);
  };
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map(read);
  return {
    rejectUnauthorized: mode !== 'require',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function poolOf(text: string | null): number {
  if (text === null) return DEFAULT_POOL;
  const pool = Number(text);
  if (Number.isInteger(pool) && pool >= 1 && pool <= LARGEST_POOL) return pool;
  throw new AddressError(`pool "${text}" is no whole number from 1 to ${LARGEST_POOL}`);
}

function fileOf(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AddressError(`${what} ${file} cannot be read (${code})`);
  }
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
