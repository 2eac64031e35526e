import type { TestProject } from 'vitest/node';
import { findBinaries } from './binaries.ts';
import { startPostgres } from './server.ts';

/**
 * One PostgreSQL for the whole run: the one that `SIGNALBOX_TEST_POSTGRES` names, else one that is started from the programs
 * on this machine. Suites that need it are left out, by name, where there is none.
 */
export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const binaries = findBinaries();
  const given = process.env['SIGNALBOX_TEST_POSTGRES'];
  if (given !== undefined) {
    provide('postgres', { url: given, binaries: binaries.folder });
    return undefined;
  }
  if (binaries.folder === undefined) {
    process.stderr.write(`PostgreSQL: ${binaries.missing}\n`);
    provide('postgres', { missing: binaries.missing });
    return undefined;
  }
  const server = await startPostgres(binaries.folder, { fsync: false });
  provide('postgres', { url: server.url, binaries: binaries.folder });
  return server.stop;
}
