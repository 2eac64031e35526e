import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Bundles the command and the journal's thread into a folder, as the image has them: nothing of node_modules is needed
 * beside them. Answers the command's path.
 * @throws esbuild's BuildFailure
 */
export async function bundleInto(directory: string): Promise<string> {
  await build({
    entryPoints: { signalbox: 'cli/signalbox.ts', 'journal-thread': 'receiver/journal/sqlite/thread.ts' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outdir: directory,
    chunkNames: '[name]-[hash]',
    legalComments: 'none',
    // A third of the text that V8 keeps; names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    // What is CommonJS in a dependency asks for Node's own modules by require.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [withoutUnusedApis],
  });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), '{"type":"module"}\n');
  return join(directory, 'signalbox.js');
}

/**
 * The Kubernetes client is used for its kubeconfig and its credentials. Its package does not say that loading one of its
 * modules changes nothing, so that all of its generated APIs would come with it: 20 MB in each process.
 */
const withoutUnusedApis: Plugin = {
  name: 'without-unused-apis',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...rest }) => {
      const concerned =
        path === '@kubernetes/client-node' || rest.importer.includes('@kubernetes/client-node');
      if (!concerned || pluginData === withoutUnusedApis) return undefined;
      const { importer, kind, namespace, resolveDir } = rest;
      const found = await resolve(path, {
        importer,
        kind,
        namespace,
        resolveDir,
        pluginData: withoutUnusedApis,
      });
      return found.path.includes('@kubernetes/client-node') ? { ...found, sideEffects: false } : found;
    });
  },
};

// `npm run bundle`
if (import.meta.main) {
  await rm('dist', { recursive: true, force: true });
  await bundleInto('dist');
}
