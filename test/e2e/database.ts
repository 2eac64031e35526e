import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findBinaries } from '../postgres/binaries.ts';
import { NOBODY, startPostgres } from '../postgres/server.ts';
import { command } from './command.ts';
import { hasNode } from './node.ts';
import { inRelease, NAMESPACE } from './release.ts';

/*
 * A PostgreSQL that pods can reach: it runs on this machine, at the end of the link to the node that
 * test/e2e/on-this-machine has made, with TLS and an authority of its own.
 */

const LINK = 'sbx-host';
const PASSWORD_SECRET = 'database';
const CA_SECRET = 'database-ca';

/** A PostgreSQL for the release under test. */
export interface Database {
  /** The chart's values that name a database of this server; an empty one where it was not named before. */
  values(name: string): Promise<readonly string[]>;
  /** The address of a database of it as the receivers have it, without what is in files. */
  url(name: string): string;
  /** First column of the answer's first row. */
  one(name: string, sql: string): Promise<unknown>;
  /** Kills it; it is back when this is disposed of. */
  kill(): Promise<AsyncDisposable>;
  [Symbol.asyncDispose](): Promise<void>;
}

const binaries = findBinaries();
const address = networkInterfaces()[LINK]?.find(({ family }) => family === 'IPv4')?.address;

/** Why there can be none here; undefined: there can. */
export const noDatabase: string | undefined =
  hasNode() && address !== undefined
    ? binaries.missing
    : 'no address of this machine is known to pods: test/e2e/on-this-machine brings one up';

/** Starts it, and puts the Secrets that tell of it beside the release. */
export async function startDatabase(): Promise<Database> {
  if (binaries.folder === undefined || address === undefined) throw new Error(noDatabase);
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-e2e-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const [key, certificate, rules] = ['key.pem', 'ca.crt', 'pg_hba.conf'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const named = ['-subj', '/CN=database', '-addext', `subjectAltName=IP:${address}`];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...named];
  await promisify(execFile)('openssl', [...made, '-keyout', key, '-out', certificate]);
  await writeFile(rules, 'host all all 127.0.0.1/32 scram-sha-256\nhostssl all all all scram-sha-256\n');
  await chmod(folder, 0o755);
  if (process.getuid?.() === 0)
    for (const path of [key, certificate, rules]) await chown(path, NOBODY, NOBODY);
  const server = await startPostgres(binaries.folder, {
    fsync: true,
    settings: {
      listen_addresses: `127.0.0.1,${address}`,
      hba_file: rules,
      ssl: 'on',
      ssl_cert_file: certificate,
      ssl_key_file: key,
    },
  });
  opening.defer(() => server.stop());
  const { username, password, port } = new URL(server.url);

  async function ask(name: string, sql: string): Promise<pg.QueryResult> {
    const own = new URL(server.url);
    own.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: own.href });
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }

  const secrets = [
    [PASSWORD_SECRET, { password }],
    [CA_SECRET, { 'ca.crt': await readFile(certificate, 'utf8') }],
  ] as const;
  const items = secrets.map(([name, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: NAMESPACE },
    stringData,
  }));
  await command(
    'kubectl',
    ['apply', '--filename=-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  );
  opening.defer(async () => {
    await inRelease('delete', 'secret', PASSWORD_SECRET, CA_SECRET, '--ignore-not-found');
  });
  const url = (name: string) => `postgres://${username}@${address}:${port}/${name}`;
  const opened = opening.move();
  return {
    url,
    async values(name) {
      const { rowCount } = await ask('postgres', `SELECT 1 FROM pg_database WHERE datname = '${name}'`);
      if (rowCount === 0) await ask('postgres', `CREATE DATABASE ${name}`);
      return [
        `journal.postgres.url=${url(name)}`,
        `journal.postgres.passwordSecret.name=${PASSWORD_SECRET}`,
        `journal.postgres.caSecret.name=${CA_SECRET}`,
      ];
    },
    one: async (name, sql) => Object.values((await ask(name, sql)).rows[0] as object)[0] as unknown,
    async kill() {
      await server.kill();
      let back: Promise<void> | undefined;
      return {
        [Symbol.asyncDispose]: () => {
          back ??= server.start();
          return back;
        },
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
