import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory. In a container it is often of 64 MB, which is too little. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 4 * 2 ** 30;

/**
 * One folder for all that the run writes: databases are made by the hundred, and their files cost more on a disk than the
 * tests. No test cuts the power, so that none needs one. What takes the types out of a module and compiles it is done once
 * for the run, and not in each of the processes and threads that it starts. `TMPDIR` says where else the folder is to lie.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const at = process.env['TMPDIR'] ?? ((await isRoomy(IN_MEMORY)) ? IN_MEMORY : tmpdir());
  const folder = await mkdtemp(join(at, 'signalbox-test-'));
  // PostgreSQL is another user where the tests are root.
  await chmod(folder, 0o755);
  process.env['TMPDIR'] = folder;
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled');
  return () => rm(folder, { recursive: true, force: true });
}

async function isRoomy(path: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
