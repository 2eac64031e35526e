import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const DEBIAN = '/usr/lib/postgresql';

/** The folder with the programs of a PostgreSQL server, the newest there is; or why there is none, and the remedy. */
export function findBinaries():
  | { readonly folder: string; readonly missing?: undefined }
  | { readonly folder?: undefined; readonly missing: string } {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const [newest] = versions
    .filter((version) => existsSync(join(DEBIAN, version, 'bin', 'postgres')))
    .sort((a, b) => Number(b) - Number(a));
  if (newest !== undefined) return { folder: join(DEBIAN, newest, 'bin') };
  return {
    missing:
      'no PostgreSQL server is installed; run `apt-get install postgresql`, or set SIGNALBOX_TEST_POSTGRES to the URL of one where databases may be created',
  };
}
