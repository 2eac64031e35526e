import {
  type Journal,
  JournalError,
  type Page,
  type RowWrite,
  type UnitOutcome,
} from '../journal/journal.ts';
import type { Log } from './log.ts';
import type { KeptRefusal, RefusalLog, RefusalShare } from './refusal-log.ts';
import { isAskedFor, newestOf, type RefusalQuery } from './refusal-query.ts';
import {
  REFUSAL_KIND,
  type RefusalRowRules,
  refusalRowId,
  refusalsIn,
  refusalWrite,
} from './refusal-rows.ts';

/** What was refused, over restarts too. */
export interface RefusalStore {
  /** Newest first; where receivers share the journal, those of all of them. */
  list(query: RefusalQuery): Promise<Page<KeptRefusal>>;
  /**
   * Writes some of what has changed since it was last written; the rest waits for the next call. Never rejects: what could
   * not be written waits as well.
   */
  write(): Promise<void>;
  /** Writes all that has changed, while the journal takes it. */
  close(): Promise<void>;
}

/** What a store works with. */
export interface RefusalStoreParts {
  readonly journal: Pick<Journal, 'commit' | 'rows' | 'dueRows' | 'listRows' | 'countRows'>;
  /** Takes what is refused. */
  readonly refusals: RefusalLog;
  readonly rules: RefusalRowRules;
  /** Rows that all receivers of the journal may have; those that were written nothing for the longest time go first. */
  readonly mostRows: number;
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
}

/** Rows of one write: they share a transaction with events, which it must not hold up. A full one has some 15 kB, 32 at most. */
const ROWS_A_WRITE = 16;
/** Rows that a list reads at once, and a write drops at most where there are too many. */
const ROWS_A_STEP = 32;

/**
 * Writes down what the log in memory has, again and again and not with each refusal: a flood of them costs a bounded number
 * of writes, and ingest waits for none.
 */
export function createRefusalStore(parts: RefusalStoreParts): RefusalStore {
  const { journal, refusals, rules, mostRows, now, log } = parts;
  let writing: Promise<boolean> | undefined;
  /** There may be more rows than there may be; at the start: it is not known how many there are. */
  let crowded = true;
  let failing = false;

  const commit = (rows: readonly RowWrite[]): Promise<readonly UnitOutcome[]> =>
    new Promise((resolve, reject) => {
      const units = rows.map((row) => ({ deliveries: [], rows: [row], answer: '' }));
      journal.commit(units, (error, outcomes) => (error === undefined ? resolve(outcomes) : reject(error)));
    });

  async function writeShares(shares: readonly RefusalShare[]): Promise<void> {
    const ids = shares.map((share) => refusalRowId(share, rules.writer));
    const found = await journal.rows(REFUSAL_KIND, ids);
    const writes = shares.flatMap((share, i) => {
      const write = refusalWrite(share, found[i], rules, now());
      return write === undefined ? [] : [{ share, write }];
    });
    if (writes.length === 0) return;
    const outcomes = await commit(writes.map(({ write }) => write));
    // Its own row changed all the same: a commit that was in doubt had come through, or the row was dropped meanwhile.
    refusals.giveBack(writes.filter((_, i) => outcomes[i]?.outcome === 'conflict').map(({ share }) => share));
    crowded ||= writes.some(({ write }) => write.expect === 0);
  }

  async function dropSurplus(): Promise<void> {
    const counts = await journal.countRows(REFUSAL_KIND);
    const surplus = counts.reduce((sum, { count }) => sum + count, 0) - mostRows;
    crowded = surplus > ROWS_A_STEP;
    if (surplus <= 0) return;
    const limit = Math.min(surplus, ROWS_A_STEP);
    const quiet = await journal.dueRows(REFUSAL_KIND, Number.MAX_SAFE_INTEGER, limit);
    await commit(
      quiet.map(({ kind, id, version }): RowWrite => ({ kind, id, expect: version, remove: true })),
    );
  }

  /** Whether something was written, and more may wait. */
  async function writeSome(): Promise<boolean> {
    const shares = refusals.takeChanged(ROWS_A_WRITE);
    try {
      if (shares.length > 0) await writeShares(shares);
      if (crowded) await dropSurplus();
      failing = false;
      return shares.length > 0;
    } catch (error) {
      refusals.giveBack(shares);
      if (!failing)
        log.warn({ error: String(error) }, 'what was refused cannot be written now; it is tried again');
      failing = true;
      return false;
    }
  }

  /** One at a time. */
  async function write(): Promise<boolean> {
    writing ??= writeSome().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  /** Calls back with the refusals of the rows that a query is about, some at a time. */
  async function read(
    { entrance }: RefusalQuery,
    take: (some: readonly KeptRefusal[]) => void,
  ): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await journal.listRows({
        kind: REFUSAL_KIND,
        ...(entrance === undefined ? {} : { owner: entrance }),
        limit: ROWS_A_STEP,
        ...(cursor === undefined ? {} : { cursor }),
      });
      take(page.items.flatMap(refusalsIn));
      cursor = page.next;
    } while (cursor !== undefined);
  }

  return {
    async list(query) {
      const oldest = now() - rules.retentionMs;
      let found: readonly KeptRefusal[] = [];
      const take = (some: readonly KeptRefusal[]): void => {
        const asked = some.filter((refusal) => refusal.at > oldest && isAskedFor(refusal, query));
        // One more than is shown tells whether there is a next page.
        found = newestOf([...found, ...asked], query.limit + 1);
      };
      take(refusals.all());
      try {
        await read(query, take);
      } catch (error) {
        // While the database is away, what this receiver has refused since is what one wants to see.
        if (!(error instanceof JournalError)) throw error;
      }
      const items = found.slice(0, query.limit);
      const end = items.at(-1)?.id;
      return found.length > items.length && end !== undefined ? { items, next: end } : { items };
    },
    async write() {
      await write();
    },
    async close() {
      await writing;
      while (await write()) {
        // Until nothing waits, or the journal takes no more.
      }
    },
  };
}
