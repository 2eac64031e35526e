import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The file below the data directory that holds the admin token, where none was given; the CLI finds it there. */
export const ADMIN_TOKEN_FILE = 'admin-token';

/** The key of the Secret that the operator writes the token into, where there is an operator. */
export const ADMIN_TOKEN_KEY = 'token';

/** The token in the data directory; made once (0600) where there is none. */
export async function adminTokenIn(directory: string): Promise<string> {
  const path = join(directory, ADMIN_TOKEN_FILE);
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = randomBytes(32).toString('base64url');
  await mkdir(directory, { recursive: true });
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}

/** Whether an `Authorization` header carries the token; takes the same time whatever the header holds. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = authorization?.startsWith('Bearer ') === true ? authorization.slice('Bearer '.length) : '';
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'));
}
