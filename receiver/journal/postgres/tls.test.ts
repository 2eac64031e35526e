import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NOBODY, type PostgresServer, startPostgres } from '../../../test/postgres/server.ts';
import { describeWithPostgres } from '../../../test/postgres/suite.ts';
import { parsePostgresAddress } from './address.ts';
import { openPostgresJournal } from './postgres-journal.ts';

describeWithPostgres('TLS to a PostgreSQL', ({ binaries }) => {
  let folder: string;
  let server: PostgresServer;

  beforeAll(async () => {
    if (binaries === undefined) return;
    folder = mkdtempSync(join(tmpdir(), 'postgres-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...named];
    execFileSync('openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    if (process.getuid?.() === 0) for (const path of [folder, key, cert]) chownSync(path, NOBODY, NOBODY);
    server = await startPostgres(binaries, {
      fsync: false,
      settings: { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key },
    });
  });

  afterAll(async () => {
    if (binaries === undefined) return;
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function opens(host: string, parameters: string): Promise<string> {
    const url = new URL(server.url);
    url.hostname = host;
    url.search = parameters;
    try {
      await (await openPostgresJournal({ address: parsePostgresAddress(url.href) })).close();
      return 'opens';
    } catch (error) {
      return (error as Error).message;
    }
  }

  it.skipIf(binaries === undefined)('proves what it is asked to prove, and says what is wrong', async () => {
    const root = `sslrootcert=${encodeURIComponent(join(folder, 'cert.pem'))}`;
    expect(await opens('localhost', `sslmode=verify-full&${root}`)).toBe('opens');
    expect(await opens('127.0.0.1', `sslmode=verify-full&${root}`)).toMatch(
      /is not trusted .*see which host it names/,
    );
    expect(await opens('127.0.0.1', `sslmode=verify-ca&${root}`)).toBe('opens');
    expect(await opens('127.0.0.1', 'sslmode=verify-ca')).toMatch(
      /is not trusted .*name its authority with \?sslrootcert/,
    );
    expect(await opens('127.0.0.1', 'sslmode=require')).toBe('opens');
  });
});
