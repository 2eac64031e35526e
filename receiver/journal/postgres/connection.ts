import pg from 'pg';
import type { PostgresAddress } from './address.ts';
import { answeredWithin } from './asked.ts';
import { SCHEMA } from './schema.ts';

/** A statement that is prepared once on each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const CONNECT_MS = 5000;
/** The client gives a connection up that does not answer; longer than the server's own limits. */
const ANSWER_MS = 15_000;

/**
 * What every connection of ours holds to. Short limits: a receiver that stands still in a transaction loses it, and with it
 * its locks, before the others would notice. Plans are generic and by index: the sizes of the tables swing faster than
 * their statistics.
 */
const SETTINGS = `SET search_path = ${SCHEMA}; SET statement_timeout = 10000; SET lock_timeout = 2000;
  SET idle_in_transaction_session_timeout = 3000; SET default_transaction_isolation = 'read committed';
  SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET client_min_messages = warning;
  SET jit = off`;

/** How `pg` is told where to connect. Statements go out without waiting for the answers to those before them. */
function clientConfig(address: PostgresAddress): pg.ClientConfig {
  const { host, port, database, user, password, ssl } = address;
  return {
    host,
    port,
    database,
    user,
    // Asked for only where the server wants one: left out, pg would look for it in the environment.
    password: password ?? '',
    ssl,
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'signalbox',
  };
}

/** Connects and settles. A connection that fails later says so at its next statement. */
export async function connect(address: PostgresAddress): Promise<pg.Client> {
  const client = answeredWithin(ANSWER_MS, new pg.Client(clientConfig(address)));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(SETTINGS);
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** Connections for reading, made when they are needed. */
export function createPool(address: PostgresAddress): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(address),
    max: address.pool,
    query_timeout: ANSWER_MS,
    idleTimeoutMillis: 30_000,
    // It goes out before whatever the connection is wanted for.
    onConnect: (client) => {
      // In use, nobody else listens; what it was asked tells that it failed.
      client.on('error', () => undefined);
      client.query(SETTINGS).catch(() => undefined);
    },
  });
  pool.on('error', () => undefined);
  return pool;
}

/** Executes a prepared statement. */
export async function run<T>(
  client: pg.ClientBase | pg.Pool,
  statement: Statement,
  values: readonly unknown[],
): Promise<T[]> {
  return (await client.query({ ...statement, values: values as unknown[] })).rows as T[];
}

/** Does work that takes several statements on one connection of the pool. */
export async function onOne<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    // Whatever a failed one was in the middle of is over with its connection.
    client.release(failed);
  }
}
