import type { Journal, StateRow } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { RunningTrigger } from '../routing/runtime.ts';
import { isOver, STATUSES } from './instance.ts';
import { streamId } from './rows.ts';
import { pinnedStream, type RunningStream } from './running-stream.ts';
import type { Stream } from './stream.ts';

/** The versions of streams that instances run, the one in force aside. */
export interface Versions {
  /** Earlier versions of a trigger's stream. */
  older(trigger: string): readonly RunningStream[];
  /** A version's text, compiled once. */
  compile(text: string, trigger: string): Stream;
  /** The version that an instance runs. */
  find(trigger: string, hash: string): Promise<Stream | undefined>;
  /** A version was written. */
  add(row: StateRow): void;
  /** Reads what the journal knows, once. */
  load(): Promise<void>;
}

interface VersionsParts {
  readonly journal: Pick<Journal, 'rows' | 'listRows' | 'countRows' | 'commit'>;
  readonly trigger: (key: string) => RunningTrigger | undefined;
  readonly log: Log;
}

const NONE: readonly RunningStream[] = [];
const PAGE = 1000;

/** Makes them. */
export function createVersions({ journal, trigger: inForce, log }: VersionsParts): Versions {
  const byTrigger = new Map<string, Map<string, RunningStream>>();
  let loading: Promise<void> | undefined;

  function known(trigger: string, text: string): RunningStream {
    const versions = byTrigger.get(trigger) ?? new Map<string, RunningStream>();
    byTrigger.set(trigger, versions);
    for (const version of versions.values()) if (version.text === text) return version;
    const version = pinnedStream(text, trigger.slice(0, trigger.indexOf('/')));
    versions.set(version.hash, version);
    return version;
  }

  async function load(): Promise<void> {
    const counts = await journal.countRows('instance');
    const over = new Set<string>(STATUSES.filter((status) => isOver({ status })));
    const live = new Set(
      counts.filter(({ status, count }) => count > 0 && !over.has(status)).map(({ owner }) => owner),
    );
    let cursor: string | undefined;
    do {
      const page = await journal.listRows({
        kind: 'stream',
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const row of page.items)
        if (live.has(row.owner)) known(row.owner, row.body);
        else forget(row);
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** Nothing runs by it any more; whoever starts by it at this moment expects it to be there, and decides again. */
  function forget({ kind, id, version, owner }: StateRow): void {
    if (id === streamId(owner, inForce(owner)?.stream?.hash ?? '')) return;
    const unit = { deliveries: [], answer: '', rows: [{ kind, id, expect: version, remove: true as const }] };
    journal.commit([unit], () => undefined);
  }

  return {
    older(trigger) {
      const versions = byTrigger.get(trigger);
      if (versions === undefined) return NONE;
      const current = inForce(trigger)?.stream?.hash;
      const older = [...versions.values()].filter(({ hash }) => hash !== current);
      return older.length === 0 ? NONE : older;
    },
    compile: (text, trigger) => known(trigger, text).stream,
    async find(trigger, hash) {
      const current = inForce(trigger)?.stream;
      if (current?.hash === hash) return current.stream;
      const loaded = byTrigger.get(trigger)?.get(hash);
      if (loaded !== undefined) return loaded.stream;
      const [row] = await journal.rows('stream', [streamId(trigger, hash)]);
      return row && known(trigger, row.body).stream;
    },
    add: ({ owner, body }) => void known(owner, body),
    load() {
      loading ??= load().catch((error: unknown) => {
        loading = undefined;
        log.error(
          { err: error },
          'the versions of value streams cannot be read from the journal; trying again',
        );
      });
      return loading;
    },
  };
}
