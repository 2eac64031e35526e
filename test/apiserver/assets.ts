import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The programs of a control plane without nodes. */
export const PROGRAMS = ['etcd', 'kube-apiserver', 'kubectl'] as const;
export type Program = (typeof PROGRAMS)[number];

/** Where each program lies, or why the tests have to do without. */
export type Assets =
  | { readonly found: true; readonly programs: Readonly<Record<Program, string>> }
  | { readonly found: false; readonly reason: string };

/** Takes one line of progress. */
export type Say = (line: string) => void;

interface Recipe {
  /** A folder of `test/assets` with a go.mod. */
  readonly module: string;
  readonly package: string;
  readonly ldflags: string;
  /** Minutes on two cores, from nothing. */
  readonly minutes: number;
}

const KUBERNETES = 'v1.35.4';
// Without them the server calls itself v0.0.0 and refuses feature gates.
const KUBERNETES_LDFLAGS = ['gitVersion=v1.35.4', 'gitMajor=1', 'gitMinor=35']
  .map((value) => `-X k8s.io/component-base/version.${value}`)
  .join(' ');

const RECIPES: Readonly<Record<Program, Recipe>> = {
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', ldflags: '', minutes: 1 },
  'kube-apiserver': {
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    ldflags: KUBERNETES_LDFLAGS,
    minutes: 4,
  },
  kubectl: {
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kubectl',
    ldflags: KUBERNETES_LDFLAGS,
    minutes: 1,
  },
};

const REMEDY = `install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with ${PROGRAMS.join(', ')}`;

/**
 * Finds etcd, kube-apiserver and kubectl: in `KUBEBUILDER_ASSETS`, else in the cache (`SIGNALBOX_ASSETS`, by default
 * `~/.cache/signalbox-assets`), else builds what the cache lacks from its Go module, once per machine.
 */
export async function findAssets(env: NodeJS.ProcessEnv, say: Say): Promise<Assets> {
  const given = env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') {
    const missing = PROGRAMS.filter((program) => !isProgram(join(given, program)));
    if (missing.length === 0) return found(given);
    return { found: false, reason: `KUBEBUILDER_ASSETS is ${given}, which lacks ${missing.join(', ')}` };
  }
  const cache = env['SIGNALBOX_ASSETS'] || join(homedir(), '.cache', 'signalbox-assets');
  for (const program of PROGRAMS) {
    if (isProgram(join(cache, program))) continue;
    const failure = await build(program, cache, env, say);
    if (failure !== undefined)
      return { found: false, reason: `${program} is not in ${cache} and ${failure}` };
  }
  return found(cache);
}

function found(folder: string): Assets {
  const programs = Object.fromEntries(PROGRAMS.map((program) => [program, join(folder, program)]));
  return { found: true, programs: programs as Record<Program, string> };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Builds one program; answers what went wrong, or undefined. Two runs at once are safe: the last one's file stays. */
async function build(
  program: Program,
  cache: string,
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<string | undefined> {
  const recipe = RECIPES[program];
  const version = recipe.module === 'kubernetes' ? ` ${KUBERNETES}` : '';
  say(
    `building ${program}${version}, once per machine, about ${recipe.minutes} min on two cores, into ${cache}`,
  );
  const unfinished = join(cache, `.${program}.${process.pid}`);
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const ticking = setInterval(() => say(`building ${program}: ${elapsed()} so far`), 20_000);
  try {
    mkdirSync(cache, { recursive: true });
    await go(recipe, unfinished, env);
    renameSync(unfinished, join(cache, program));
    say(`built ${program} in ${elapsed()}`);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `cannot be built, since there is no Go: ${REMEDY}`
      : `its build failed: ${message}`;
  } finally {
    clearInterval(ticking);
    rmSync(unfinished, { force: true });
  }
}

function go(recipe: Recipe, output: string, env: NodeJS.ProcessEnv): Promise<void> {
  const ldflags = `-s -w ${recipe.ldflags}`.trim();
  const args = ['build', '-mod=readonly', '-trimpath', '-ldflags', ldflags, '-o', output, recipe.package];
  const cwd = fileURLToPath(new URL(`../assets/${recipe.module}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let last = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      last = (last + text).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(last.trim() || `go build ended with ${code}`));
    });
  });
}
