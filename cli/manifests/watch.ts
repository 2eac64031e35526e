import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readPaths, type Snapshot } from './files.ts';

/** An open watch. */
export interface ManifestWatch {
  close(): void;
}

/** How long the files must stay the same before a change counts: an editor may empty a file before it writes it. */
const SETTLE_MS = 60;
/** How often files are read without a hint, for file systems that give none (some network and container mounts). */
const RECHECK_MS = 2_000;

/**
 * Calls `changed` with what lies under `paths` whenever it differs from `first`, or from the last call. The folders are
 * watched, not the files: editors that write a new file and rename it would leave a file's own watch behind.
 */
export function watchPaths(
  paths: readonly string[],
  first: Snapshot,
  changed: (snapshot: Snapshot) => void,
): ManifestWatch {
  let known = JSON.stringify(first);
  const closed = new AbortController();
  let checking = false;
  let again = false;

  async function check(): Promise<void> {
    again = checking;
    if (checking) return;
    checking = true;
    const snapshot = await settled(paths, known);
    const text = JSON.stringify(snapshot);
    if (text !== known && !closed.signal.aborted) {
      known = text;
      changed(snapshot);
    }
    checking = false;
    if (again) await check();
  }

  const hint = (): void => void check();
  const watchers = [...new Set(paths.flatMap((path) => [path, dirname(path)]))].flatMap((path) =>
    hints(path, hint),
  );
  const timer = setInterval(hint, RECHECK_MS);
  timer.unref();
  return {
    close: () => {
      closed.abort();
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Reads until two readings agree, or until what is there is what was known. */
async function settled(paths: readonly string[], known: string): Promise<Snapshot> {
  let before = await readPaths(paths);
  for (;;) {
    if (JSON.stringify(before) === known) return before;
    await pause(SETTLE_MS);
    const now = await readPaths(paths);
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
}

/** Without a watcher (the path is gone, or the system has none left) the regular reading still notices changes. */
function hints(path: string, hint: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(path, { persistent: false }, hint);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}
