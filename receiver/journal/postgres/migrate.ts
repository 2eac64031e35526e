import type pg from 'pg';
import { JournalError } from '../journal.ts';
import { MIGRATIONS, SCHEMA } from './schema.ts';

/** Which advisory lock of the database a migration holds: `Sgnl`, `Box1`. */
const LOCK = '1399287404, 1115650097';
const PRIMARY = 'connect to the primary';

interface ServerFacts {
  readonly standby: boolean;
  readonly read_only: string;
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly version: number;
}

/**
 * Sees that the server keeps what it has acknowledged.
 * @throws JournalError naming the setting and the remedy
 */
export async function checkServer(
  client: pg.Client,
  shown: string,
  warn: (fields: object, message: string) => void,
): Promise<void> {
  const { rows } = await client.query(`SELECT pg_is_in_recovery() AS standby,
    current_setting('default_transaction_read_only') AS read_only,
    current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
    current_setting('server_version_num')::int AS version`);
  const { standby, read_only, synchronous_commit, fsync, version } = rows[0] as ServerFacts;
  const refuse = (problem: string): never => {
    throw new JournalError('JournalUnavailable', `the database ${shown} ${problem}`);
  };
  if (version < 130_000) refuse(`is PostgreSQL ${Math.floor(version / 10_000)}; 13 or newer is needed`);
  if (standby || read_only === 'on') refuse(`is read-only: a replica, or set so; ${PRIMARY}`);
  if (synchronous_commit === 'off') {
    refuse(
      'has synchronous_commit = off, so what it acknowledges can be lost; turn it on: ALTER ROLE … SET synchronous_commit = on',
    );
  }
  if (fsync === 'off') {
    warn(
      { database: shown },
      'the database has fsync = off: a crash of its machine may lose or damage the journal',
    );
  }
}

/**
 * Brings the schema to the present version. Receivers that start together wait for each other.
 * @throws JournalError JournalTooNew, if a newer program made it
 */
export async function migrate(client: pg.Client, shown: string, migrations = MIGRATIONS): Promise<void> {
  if ((await versionOf(client)) === migrations.length) return;
  await client.query('SET lock_timeout = 0; SET statement_timeout = 0');
  await client.query(`SELECT pg_advisory_lock(${LOCK})`);
  try {
    const version = await versionOf(client);
    if (version > migrations.length) {
      throw new JournalError(
        'JournalTooNew',
        `the journal in ${shown} is of version ${version} and this program reads up to ${migrations.length}; run the newer program again, or give another database`,
      );
    }
    for (const [i, statements] of migrations.entries()) {
      if (i >= version) await client.query(step(i + 1, statements));
    }
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined);
    await client.query('SET lock_timeout = 2000; SET statement_timeout = 10000').catch(() => undefined);
  }
}

/** One version's statements in one transaction: all or nothing. */
function step(version: number, statements: string): string {
  const first = `CREATE SCHEMA IF NOT EXISTS ${SCHEMA}; CREATE TABLE version (version int NOT NULL);
    INSERT INTO version VALUES (0);`;
  return `BEGIN; ${version === 1 ? first : ''} ${statements} UPDATE version SET version = ${version}; COMMIT;`;
}

async function versionOf(client: pg.Client): Promise<number> {
  const { rows: found } = await client.query(`SELECT to_regclass('${SCHEMA}.version') IS NOT NULL AS there`);
  if (!(found[0] as { there: boolean }).there) return 0;
  const { rows } = await client.query('SELECT version FROM version');
  return (rows[0] as { version: number }).version;
}
