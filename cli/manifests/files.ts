import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What lay under the given paths at one moment. */
export interface Snapshot {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** One sentence per path that cannot be read. */
  readonly problems: readonly string[];
}

const MANIFEST = /\.(?:ya?ml|json)$/;
const REMEDY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the path.',
  EACCES: 'this user may not read it; change its permissions.',
  EISDIR: 'is a folder where a file was expected; check the path.',
};

/** Reads every given file, and every `.yaml`, `.yml` and `.json` directly in a given folder, in the order of names. */
export async function readPaths(paths: readonly string[]): Promise<Snapshot> {
  const files: { path: string; text: string }[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    try {
      for (const file of await manifestsAt(path))
        files.push({ path: file, text: await readFile(file, 'utf8') });
    } catch (error) {
      problems.push(
        `${path}: ${REMEDY[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read; check the path.'}`,
      );
    }
  }
  return { files: unique(files), problems };
}

async function manifestsAt(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => MANIFEST.test(name) && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(path, name));
}

function unique<T extends { readonly path: string }>(files: readonly T[]): readonly T[] {
  return [...new Map(files.map((file) => [file.path, file])).values()];
}
