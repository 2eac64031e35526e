import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Takes one line of progress. */
export type Say = (line: string) => void;

/** How a program that tests run against is built from its Go module. */
export interface Recipe {
  /** A folder beside this file with a go.mod. */
  readonly module: string;
  readonly package: string;
  readonly ldflags: string;
  /** Minutes on two cores, from nothing. */
  readonly minutes: number;
  readonly version?: string;
}

/** Where a program lies, or why the tests have to do without. */
export type Found =
  | { readonly found: true; readonly path: string }
  | { readonly found: false; readonly reason: string };

/**
 * Finds a program in the cache (`SIGNALBOX_ASSETS`, by default `~/.cache/signalbox-assets`), or builds it into it, once per
 * machine.
 */
export async function findProgram(
  program: string,
  recipe: Recipe,
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<Found> {
  const cache = env['SIGNALBOX_ASSETS'] || join(homedir(), '.cache', 'signalbox-assets');
  const path = join(cache, program);
  if (isProgram(path)) return { found: true, path };
  const failure = await build(program, recipe, cache, { env, say });
  if (failure === undefined) return { found: true, path };
  return { found: false, reason: `${program} is not in ${cache} and ${failure}` };
}

/** Where the module of a Go package that a recipe names lies. Throws where there is no Go, or no such module. */
export async function moduleDirectory(recipe: Recipe, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  await go(recipe, ['mod', 'download', name], env);
  return (await go(recipe, ['list', '-m', '-f', '{{.Dir}}', name], env)).trim();
}

export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Builds one program; answers what went wrong, or undefined. Two runs at once are safe: the last one's file stays. */
async function build(
  program: string,
  recipe: Recipe,
  cache: string,
  { env, say }: { readonly env: NodeJS.ProcessEnv; readonly say: Say },
): Promise<string | undefined> {
  const version = recipe.version === undefined ? '' : ` ${recipe.version}`;
  say(
    `building ${program}${version}, once per machine, about ${recipe.minutes} min on two cores, into ${cache}`,
  );
  const unfinished = join(cache, `.${program}.${process.pid}`);
  const started = Date.now();
  const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const ticking = setInterval(() => say(`building ${program}: ${elapsed()} so far`), 20_000);
  try {
    mkdirSync(cache, { recursive: true });
    const ldflags = `-s -w ${recipe.ldflags}`.trim();
    const flags = ['-mod=readonly', '-trimpath', '-ldflags', ldflags, '-o', unfinished];
    await go(recipe, ['build', ...flags, recipe.package], env);
    renameSync(unfinished, join(cache, program));
    say(`built ${program} in ${elapsed()}`);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? 'cannot be built, since there is no Go: install Go 1.26 or newer'
      : `its build failed: ${message}`;
  } finally {
    clearInterval(ticking);
    rmSync(unfinished, { force: true });
  }
}

/** Runs Go in the recipe's module; what it wrote. Rejects with what it complained about. */
function go(recipe: Recipe, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = fileURLToPath(new URL(recipe.module, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let last = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      last = (last + text).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(last.trim() || `go ${args[0] ?? ''} ended with ${code}`));
    });
  });
}
