import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A library that makes each fsync of a process take a millisecond more, or why there is none. */
export type SlowFsync = { readonly env: Readonly<Record<string, string>> } | { readonly missing: string };

const SOURCE = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int later(const char *name, int file) {
  struct timespec wait = {0, 1000000};
  nanosleep(&wait, 0);
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return later("fsync", file); }
int fdatasync(int file) { return later("fdatasync", file); }
`;

/** Builds the library in a folder. Linux with a C compiler only: elsewhere a disk cannot be made slow from outside. */
export function buildSlowFsync(folder: string): SlowFsync {
  if (process.platform !== 'linux') return { missing: 'only Linux takes a library in front of its own' };
  const source = join(folder, 'slow-fsync.c');
  const library = join(folder, 'slow-fsync.so');
  writeFileSync(source, SOURCE);
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  });
  if (made.error !== undefined)
    return { missing: 'there is no C compiler `cc` to build the slow fsync with' };
  if (made.status !== 0) return { missing: `the slow fsync cannot be built: ${made.stderr.trim()}` };
  return { env: { LD_PRELOAD: library } };
}
