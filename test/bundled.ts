import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles the command and the journal's thread into a folder, as the image has them; the command's path. */
export async function bundleInto(directory: string): Promise<string> {
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await build({
    entryPoints: { signalbox: 'cli/signalbox.ts', 'journal-thread': 'receiver/journal/sqlite/thread.ts' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outdir: directory,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return `${directory}/signalbox.js`;
}
