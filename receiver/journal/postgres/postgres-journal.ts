import { hostname } from 'node:os';
import type pg from 'pg';
import { checkUnits } from '../check-units.ts';
import { type Journal, JournalError, type JournalStats, type UnitOutcome } from '../journal.ts';
import type { PostgresAddress } from './address.ts';
import { createClaims, release } from './claim.ts';
import { connect, createPool, onOne } from './connection.ts';
import { countUndone } from './count-undone.ts';
import { createDoubts } from './doubts.ts';
import { createLines } from './lines.ts';
import { createLists } from './lists.ts';
import { checkServer, migrate } from './migrate.ts';
import { createNames } from './names.ts';
import { createPartitions } from './partitions.ts';
import { isConnectionLost, journalError } from './postgres-error.ts';
import { createPresence } from './presence.ts';
import { createPrune, journalBytes, type Retention } from './prune.ts';
import { createQueue } from './queue.ts';
import { createRowReader } from './read-rows.ts';
import { beginSession, endSession } from './sessions.ts';
import { type Batch, createBatchWriter } from './write-batch.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DEFAULT_RETENTION: Retention = { delivered: 7 * DAY, unmatched: 7 * DAY, dead: 30 * DAY };
/** Into how many partitions the retention is cut. */
const PARTITIONS = 14;
/** After a connection was refused, the next is tried no sooner. */
const RECONNECT_MS = 250;
const CLOSE_MS = 3000;

/** Where the journal is and what is kept how long. */
export interface PostgresJournalOptions {
  readonly address: PostgresAddress;
  /** Default: 7 days for delivered and unmatched events, 30 days for dead letters. What is undone stays. */
  readonly retention?: Partial<Retention>;
  /**
   * How large the journal may be in bytes, as it counts them; default: as large as the database lets it. From 95 % of it on
   * delivered and unmatched history goes, oldest first; at the limit `commit` answers `JournalFull`.
   */
  readonly maxBytes?: number;
  readonly log?: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/**
 * Opens a journal in PostgreSQL, which any number of receivers may share. What this one holds is anybody's ten seconds after
 * it has stopped living. While the database is away everything fails with `JournalUnavailable`, and goes on by itself.
 * @throws JournalError saying what is wrong with the database and the remedy
 */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { address, log } = options;
  const { shown } = address;
  const retention = { ...DEFAULT_RETENTION, ...options.retention };
  const clock = (): number => performance.now();
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw journalError(error, shown);
    });
  const pool = createPool(address);
  const names = createNames();
  const period = Math.min(
    Math.max(Math.max(retention.delivered, retention.unmatched) / PARTITIONS, HOUR),
    DAY,
  );
  const partitions = createPartitions(period, clock);
  const doubts = createDoubts();
  const lists = createLists(pool, names);
  const claims = createClaims(pool, names);
  const rowReader = createRowReader(pool);
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  const prune = createPrune(retention, maxBytes);
  let full = false;
  /** Shapes that this session has put. */
  let put = new Set<string>();
  let session = '';
  let writer: pg.Client | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  async function begin(): Promise<void> {
    session = await beginSession(pool, `${hostname()}/${process.pid}`);
    put = new Set();
  }

  let renewing: Promise<void> | undefined;

  /** `gone` was given up. The writer and the heartbeat may find out at the same time, or one after the other. */
  async function renew(gone: string): Promise<void> {
    if (gone !== session) return;
    if (renewing !== undefined) return renewing;
    renewing = begin().finally(() => {
      renewing = undefined;
    });
    log?.warn(
      { database: shown },
      'this receiver stood still for so long that others took over what it held; it goes on with what is new',
    );
    await renewing;
  }

  let connecting: Promise<pg.Client> | undefined;

  function connected(): Promise<pg.Client> {
    if (writer !== undefined) return Promise.resolve(writer);
    connecting ??= connectAnew().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  async function connectAnew(): Promise<pg.Client> {
    if (clock() - failedAt < RECONNECT_MS) {
      throw new JournalError('JournalUnavailable', `the database ${shown} is away; it is tried again soon`);
    }
    try {
      const client = await connect(address);
      if ((await doubts.resolve(client, session)) > 0) presence.found();
      client.on('end', () => {
        if (writer === client) writer = undefined;
      });
      writer = client;
      return client;
    } catch (error) {
      failedAt = clock();
      throw error;
    }
  }

  const first = await opened();
  await told(begin());
  await first.end();
  const lines = createLines(await told(linesExist()));
  const writeOn = createBatchWriter({
    names,
    partitions,
    lines,
    session: () => session,
    renew,
    committing: doubts.open,
  });

  async function write(batch: Batch): Promise<readonly UnitOutcome[]> {
    let client: pg.Client | undefined;
    try {
      if (full && batch.units.some(({ event }) => event !== undefined)) throw overfull(maxBytes);
      client = await connected();
      const outcomes = await writeOn(client, batch);
      doubts.settled();
      if (batch.units.some(isForAnyone)) presence.tell();
      return outcomes;
    } catch (error) {
      // Without a connection nothing was sent: what is in doubt from before stays so.
      if (client !== undefined) {
        if (isConnectionLost(error)) {
          if (writer === client) writer = undefined;
          void client.end().catch(() => undefined);
        } else doubts.settled();
      }
      throw journalError(error, shown);
    }
  }

  const queue = createQueue({ write, isOwn, clock });
  /** What was handed over before is to be seen by a question. */
  const asked = async <T>(question: () => Promise<T>): Promise<T> => {
    await queue.flush();
    return told(question());
  };

  const presence = createPresence({
    connect: () => connect(address),
    session: () => session,
    renew,
    clock,
    log,
    shown,
    looked,
  });

  /** Sees to the server and the schema; the connection that did. */
  async function opened(): Promise<pg.Client> {
    let client: pg.Client | undefined;
    try {
      client = await connect(address);
      await checkServer(client, shown, (fields, message) => log?.warn(fields, message));
      await migrate(client, shown);
      return client;
    } catch (error) {
      void client?.end().catch(() => undefined);
      await pool.end();
      throw journalError(error, shown);
    }
  }

  async function looked(): Promise<void> {
    // What was in doubt may have been told to be a repeat by another receiver: it is not to wait for the next event here.
    if (doubts.any()) await connected();
    if (maxBytes !== Number.POSITIVE_INFINITY) full = (await journalBytes(pool)) >= maxBytes;
  }

  async function linesExist(): Promise<boolean> {
    const { rows } = await pool.query('SELECT EXISTS (SELECT FROM line) AS exist');
    return (rows[0] as { exist: boolean }).exist;
  }

  async function stats(): Promise<JournalStats> {
    const { rows } = await pool.query(`SELECT
      coalesce(sum(n) FILTER (WHERE kind = 'delivery' AND status = 'backlog'), 0)::int8 AS backlog,
      coalesce(sum(n) FILTER (WHERE kind = 'delivery' AND status = 'dead'), 0)::int8 AS dead,
      coalesce(sum(n) FILTER (WHERE status = 'bytes'), 0)::int8 AS bytes,
      (SELECT received FROM waiting ORDER BY id LIMIT 1) AS oldest FROM tally`);
    const { backlog, dead, bytes, oldest } = rows[0] as Record<string, string> & { oldest: number | null };
    return {
      backlog: Number(backlog),
      dead: Number(dead),
      bytes: Number(bytes),
      ...(oldest === null ? {} : { oldest }),
    };
  }

  return {
    commit(units, done) {
      checkUnits(units);
      queue.commit(units, done);
    },
    settle: queue.settle,
    putShape(hash, shape) {
      if (put.has(hash)) return;
      put.add(hash);
      queue.putShape(hash, shape);
    },
    shape: (hash) =>
      asked(async () => {
        const { rows } = await pool.query({
          name: 'shape',
          text: 'SELECT s.body FROM name n JOIN shape s ON s.name = n.id WHERE n.text = $1',
          values: [hash],
        });
        return (rows[0] as { body: string } | undefined)?.body;
      }),
    claim: (now, limit, bytes, except = []) =>
      asked(async () => {
        const claimed = await claims.claim(session, { now, limit, bytes, except });
        if (claimed.some(({ line }) => line !== undefined)) lines.found();
        return claimed;
      }),
    nextDue: (except = []) => asked(() => claims.nextDue(except)),
    release: (trigger, now) =>
      asked(async () => {
        const id = await names.find(pool, trigger);
        const released =
          id === undefined ? 0 : await onOne(pool, (client) => release(client, lines, id, now));
        if (released > 0) presence.tell();
        return released;
      }),
    events: (query) => asked(() => lists.events(query)),
    event: (event) => asked(() => lists.event(event)),
    deliveries: (query) => asked(() => lists.deliveries(query)),
    stats: () => asked(stats),
    countUndone: () => asked(() => countUndone(pool, names)),
    rows: (kind, ids) => asked(() => rowReader.rows(kind, ids)),
    dueRows: (kind, now, limit) => asked(() => rowReader.dueRows(kind, now, limit)),
    nextRowDue: (kind) => asked(() => rowReader.nextRowDue(kind)),
    listRows: (query) => asked(() => rowReader.listRows(query)),
    countRows: (kind) => asked(() => rowReader.countRows(kind)),
    watch: (due) => presence.watch(due),
    prune: (now) => asked(() => onOne(pool, (client) => prune(client, session, now))),
    flush: queue.flush,
    async close() {
      if (closed) return;
      closed = true;
      await within(CLOSE_MS, queue.flush()).catch((error: unknown) => {
        const fields = { database: shown, error: String(error) };
        log?.error(fields, 'the journal could not write everything before it was closed');
      });
      queue.end(new JournalError('JournalUnavailable', `the journal in ${shown} is closed`));
      await presence.end();
      await within(CLOSE_MS, handOver()).catch(() => undefined);
      await Promise.all([writer?.end(), within(CLOSE_MS, pool.end())]).catch(() => undefined);
    },
  };

  /** What this session holds need not wait until the others miss it. */
  async function handOver(): Promise<void> {
    await onOne(pool, (client) => endSession(client, session));
  }
}

function overfull(maxBytes: number): JournalError {
  return new JournalError(
    'JournalFull',
    `the journal has reached its limit of ${maxBytes} bytes and nothing in it may go; raise --max-journal, or see what keeps deliveries from being made`,
  );
}

/** Work that another receiver may do. */
function isForAnyone({ deliveries }: Batch['units'][number]): boolean {
  return deliveries.some(({ held, parked }) => !held && parked === undefined);
}

/** A failure of the statement, not of the database. */
function isOwn({ code, cause }: JournalError): boolean {
  return code === 'JournalUnavailable' && cause !== undefined && !isConnectionLost(cause);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
