import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AddressError, parsePostgresAddress } from './address.ts';

describe('the address of a PostgreSQL', () => {
  it('is read from a URL, escapes and all, and shown without its password', () => {
    expect(parsePostgresAddress('postgres://us%40er:p%2Fw@db.example.com:6432/my%20db?pool=9')).toEqual({
      host: 'db.example.com',
      port: 6432,
      database: 'my db',
      user: 'us@er',
      password: 'p/w',
      ssl: { rejectUnauthorized: true },
      pool: 9,
      shown: 'postgres://us@er@db.example.com:6432/my db',
    });
    expect(parsePostgresAddress('postgresql://u@[::1]/d')).toMatchObject({
      host: '::1',
      port: 5432,
      ssl: false,
    });
    expect(parsePostgresAddress('postgres://u@x/d?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      ssl: false,
    });
  });

  it('proves the server unless it is told otherwise', () => {
    const ssl = (more: string) => parsePostgresAddress(`postgres://u@db.example.com/d${more}`).ssl;
    expect(ssl('')).toEqual({ rejectUnauthorized: true });
    expect(ssl('?sslmode=disable')).toBe(false);
    expect(ssl('?sslmode=verify-ca')).toMatchObject({
      rejectUnauthorized: true,
      checkServerIdentity: expect.anything(),
    });
    expect(ssl('?sslmode=require')).toMatchObject({ rejectUnauthorized: false });
  });

  it('takes the password and the certificates from files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'address-'));
    try {
      await writeFile(join(folder, 'password'), 'secret \n');
      await writeFile(join(folder, 'ca.pem'), 'CA');
      const url = `postgres://u@db/d?sslrootcert=${join(folder, 'ca.pem')}`;
      const address = parsePostgresAddress(url, join(folder, 'password'));
      expect(address).toMatchObject({ password: 'secret ', ssl: { ca: 'CA' } });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each<[string, RegExp]>([
    ['db:5432', /is no URL like postgres:\/\//],
    ['mysql://u@h/d', /is no URL/],
    ['postgres://h/d', /has no user/],
    ['postgres://u@h', /has no database/],
    ['postgres://u@/d', /has no host|is no URL/],
    ['postgres://u@h/d?sslmode=prefer', /sslmode "prefer" is none of disable, require/],
    ['postgres://u@h/d?pool=0', /pool "0" is no whole number from 1 to 100/],
    ['postgres://u@h/d?poolsize=4', /"poolsize" is not known; known are/],
    ['postgres://u@h/d?sslrootcert=/none', /sslrootcert \/none cannot be read \(ENOENT\)/],
  ])('%s is refused', (url, message) => {
    expect(() => parsePostgresAddress(url)).toThrow(AddressError);
    expect(() => parsePostgresAddress(url)).toThrow(message);
  });

  it('wants the password once', () => {
    expect(() => parsePostgresAddress('postgres://u:p@h/d', '/file')).toThrow(/give one of them/);
  });
});
