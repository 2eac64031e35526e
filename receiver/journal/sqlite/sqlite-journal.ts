import { setTimeout as after } from 'node:timers/promises';
import { checkUnits } from '../check-units.ts';
import type { Journal, JournalError, Page, Query, RowQuery, StateRow } from '../journal.ts';
import { defaultMaxBytes, prepareDirectory } from './directory.ts';
import type { Step } from './lists.ts';
import type { HistoryLimits, Retention } from './retention.ts';
import { RUN_KEYS } from './seen-index.ts';
import { openSession, type Session } from './session.ts';
import type { StoreOptions } from './store.ts';

const DAY = 86_400_000;
const DEFAULT_RETENTION: Retention = { delivered: 7 * DAY, unmatched: 7 * DAY, dead: 30 * DAY };
/** Waits between attempts to open a journal whose thread has died; the last one repeats. */
const REOPEN_MS = [50, 250, 1000, 5000];
const LARGEST_PAGE = 1000;
/** A page of rows ends with the step that brings its bodies to this. */
const LARGEST_PAGE_BYTES = 16 * 1024 * 1024;

export interface SqliteJournalOptions {
  /** Holds `journal.db` and its WAL; made where it is missing. One process at a time. */
  readonly directory: string;
  /**
   * Limit of the database in bytes; default: 80 % of the volume. From 95 % of it on, delivered and unmatched history goes,
   * oldest first; at the limit `commit` answers `JournalFull`. Undone deliveries, dead letters and dedup keys never give way.
   */
  readonly maxBytes?: number;
  /** Default: 7 days for delivered and unmatched events, 30 days for dead letters. What is undone stays. */
  readonly retention?: Partial<Retention>;
  /** Default: what `maxBytes` leaves room for. */
  readonly limits?: HistoryLimits;
  /** How many dedup keys of a kind are kept in memory before they become a sorted run on disk; default 65,536. */
  readonly runKeys?: number;
  readonly log?: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/**
 * Opens the embedded journal: SQLite in WAL mode, every commit fsynced, on a thread of its own. An open journal that is
 * idle does not keep the process alive. If its thread dies, all that is pending fails with `JournalUnavailable` and
 * the journal opens itself again; what was held is then given out by `claim` once more.
 * @throws JournalError JournalLocked, JournalTooNew, JournalCorrupt or JournalUnavailable, naming the directory
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const { directory, log } = options;
  prepareDirectory(directory);
  const storeOptions: StoreOptions = {
    directory,
    maxBytes: options.maxBytes ?? defaultMaxBytes(directory),
    retention: { ...DEFAULT_RETENTION, ...options.retention },
    limits: options.limits ?? {},
    runKeys: options.runKeys ?? RUN_KEYS,
  };
  /** Shapes that were handed over: the same one comes with every event. */
  let shapes = new Set<string>();
  let closed = false;
  let session: Session = await openSession(storeOptions, lost);

  function lost(error: JournalError): void {
    if (closed) return;
    log?.error({ code: error.code, directory }, `${error.message}; it is being opened again`);
    void reopen();
  }

  async function reopen(): Promise<void> {
    for (let attempt = 0; !closed; attempt++) {
      await after(REOPEN_MS[attempt] ?? REOPEN_MS.at(-1), undefined, { ref: false });
      try {
        const fresh = await openSession(storeOptions, lost);
        if (closed) {
          await fresh.ask('close');
          return;
        }
        session = fresh;
        shapes = new Set();
        log?.warn({ directory }, 'the journal is open again');
        return;
      } catch (error) {
        log?.error({ directory, error: String(error) }, 'the journal could not be opened again');
      }
    }
  }

  async function list<T>(method: 'events' | 'deliveries', query: Query): Promise<Page<T>> {
    const limit = Math.min(Math.max(1, query.limit), LARGEST_PAGE);
    const items: T[] = [];
    let before: number | undefined = startOf(query.cursor);
    while (before !== undefined && items.length < limit) {
      const wanted: Query = { ...query, limit: limit - items.length };
      const step = (await session.ask(method, wanted, before)) as unknown as Step<T>;
      items.push(...step.items);
      before = step.before;
    }
    return pageOf(items, before);
  }

  async function listRows(query: RowQuery): Promise<Page<StateRow>> {
    const limit = Math.min(Math.max(1, query.limit), LARGEST_PAGE);
    const items: StateRow[] = [];
    let bytes = 0;
    let before: number | undefined = startOf(query.cursor);
    while (before !== undefined && items.length < limit && bytes < LARGEST_PAGE_BYTES) {
      const step: Step<StateRow> = await session.ask(
        'listRows',
        { ...query, limit: limit - items.length },
        before,
      );
      items.push(...step.items);
      bytes += step.items.reduce((sum, { body }) => sum + body.length, 0);
      before = step.before;
    }
    return pageOf(items, before);
  }

  return {
    commit(units, done) {
      checkUnits(units);
      session.commit(units, done);
    },
    settle: (settlement) => session.settle(settlement),
    putShape(hash, shape) {
      if (shapes.has(hash)) return;
      shapes.add(hash);
      session.putShape(hash, shape);
    },
    shape: (hash) => session.ask('shape', hash),
    async claim(now, limit, bytes, except = []) {
      const { deliveries, damaged } = await session.ask('claim', { now, limit, bytes, except });
      for (const delivery of damaged) {
        log?.error({ delivery, directory }, 'a stored event is damaged: its delivery became a dead letter');
      }
      return deliveries;
    },
    nextDue: (except = []) => session.ask('nextDue', except),
    async release(trigger, now) {
      let released = 0;
      for (let more = true; more; ) {
        const step = await session.ask('release', trigger, now);
        released += step.released;
        more = step.more;
      }
      return released;
    },
    events: (query) => list('events', query),
    event: (event) => session.ask('event', event),
    deliveries: (query) => list('deliveries', query),
    stats: () => session.ask('stats'),
    countUndone: () => session.ask('countUndone'),
    rows: (kind, ids) => session.ask('rows', kind, ids),
    async dueRows(kind, now, limit) {
      while (await session.ask('moveDue', kind, now));
      return session.ask('dueRows', kind, now, limit);
    },
    nextRowDue: (kind) => session.ask('nextRowDue', kind),
    listRows,
    countRows: (kind) => session.ask('countRows', kind),
    watch: () => undefined,
    async prune(now) {
      let removed = 0;
      for (let more = true; more; ) {
        const step = await session.ask('prune', now);
        removed += step.removed;
        more = step.more;
      }
      return removed;
    },
    flush: () => session.flush(),
    async close() {
      if (closed) return;
      closed = true;
      await session.flush().catch((error: unknown) => {
        log?.error(
          { directory, error: String(error) },
          'the journal could not write everything before it was closed',
        );
      });
      await session.ask('close').catch(() => undefined);
    },
  };
}

function pageOf<T>(items: readonly T[], before: number | undefined): Page<T> {
  return before === undefined ? { items } : { items, next: String(before) };
}

function startOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new RangeError('cursor: it is none that a list gave out; leave it out to begin with the newest');
}
