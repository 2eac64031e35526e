import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, inject, test } from 'vitest';
import type { ProvidedPostgres } from './provided.ts';

/** The run's PostgreSQL, as a suite sees it. */
export interface TestPostgres {
  /** Makes an empty database. */
  database(): Promise<TestDatabase>;
  /** The programs of the server, where a suite starts one of its own; undefined: only the given server. */
  readonly binaries: string | undefined;
}

/** A database of one test. */
export interface TestDatabase {
  readonly url: string;
  /** As a superuser. */
  query(sql: string): Promise<pg.QueryResult>;
  drop(): Promise<void>;
}

/**
 * A suite that needs PostgreSQL. Where there is none it is left out and its name says why, or, with `SIGNALBOX_TEST_ALL` set,
 * it fails.
 */
export function describeWithPostgres(name: string, suite: (postgres: TestPostgres) => void): void {
  const provided: ProvidedPostgres | undefined = inject('postgres');
  if (provided === undefined) throw new Error('vitest.config.ts does not run test/postgres/global-setup.ts');
  const { url, missing } = provided;
  if (url !== undefined) {
    const { binaries } = provided;
    describe(name, () => suite({ binaries, database: () => makeDatabase(url) }));
  } else if (process.env['SIGNALBOX_TEST_ALL']) {
    test(`${name} needs PostgreSQL`, () => {
      throw new Error(missing);
    });
  } else {
    describe.skip(`${name} (left out: ${missing})`, () => {
      test('needs PostgreSQL', () => undefined);
    });
  }
}

/** Makes a database of its own on the server at `url`. */
export async function makeDatabase(url: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asked(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    query: (sql) => asked(own.href, sql),
    drop: async () => void (await asked(url, `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

async function asked(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
