import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { JournalError } from '../../journal.ts';
import { readAttempts } from '../../sqlite/attempt.ts';
import { BODY } from '../../sqlite/row-body.ts';
import { MIGRATIONS } from '../../sqlite/schema.ts';
import { eachEntry, readEntry } from '../../sqlite/seen-log.ts';
import { journalError } from '../../sqlite/sqlite-error.ts';
import { attributesOf, type EventColumns, recordOf } from '../../sqlite/stored-event.ts';

/** How many rows are read at once, and about how much of their data. */
const STEP = 1000;
const STEP_BYTES = 8 << 20;

/** An event, as both journals keep it. */
export interface SourceEvent {
  readonly id: number;
  readonly received: number;
  readonly entrance: string;
  readonly first: number;
  readonly deliveries: number;
  readonly attributes: string;
  readonly record: string;
  readonly data: Uint8Array | undefined;
}

/** A delivery; one that has ended has `at`, one that has not has `due`. */
export interface SourceDelivery {
  readonly id: number;
  readonly event: number;
  readonly trigger: string;
  readonly shape: string;
  readonly state: number;
  readonly due: number;
  readonly at: number;
  readonly attempts: number;
  readonly received: number;
  readonly bytes: number;
  readonly reason: string | undefined;
  /** Attempts as JSON. */
  readonly history: readonly string[];
  readonly task: string | undefined;
  readonly line: string | undefined;
}

export interface SourceKey {
  readonly key: Uint8Array;
  readonly fingerprint: Uint8Array;
  readonly expires: number;
  readonly answer: string;
}

export interface SourceRow {
  readonly number: number;
  readonly kind: string;
  readonly id: string;
  readonly version: number;
  readonly owner: string;
  readonly status: string;
  readonly due: number | undefined;
  readonly expires: number | undefined;
  readonly created: number;
  readonly changed: number;
  readonly body: string;
}

/** An embedded journal that nobody writes to: a backup, or the directory of a receiver that has stopped. */
export interface JournalSource {
  events(after: number): readonly SourceEvent[];
  /** Delivered and dead ones. */
  ended(after: number): readonly SourceDelivery[];
  /** Those of these that have ended. */
  endedAmong(ids: readonly number[]): readonly SourceDelivery[];
  waiting(after: number): readonly SourceDelivery[];
  /** Ids of the dead ones. */
  dead(): readonly number[];
  /** The keys of the log's rows after that one, and the last row's number; no keys: the end. */
  keys(after: number): { readonly keys: readonly SourceKey[]; readonly last: number };
  rows(after: number): readonly SourceRow[];
  shapes(): readonly { readonly hash: string; readonly body: string }[];
  /** How many events there are, from which to which, and when received. */
  facts(): {
    readonly events: number;
    readonly ended: number;
    readonly waiting: number;
    readonly rows: number;
    readonly oldest: number;
    readonly newest: number;
    readonly firstEvent: number;
    readonly lastEvent: number;
    readonly lastDelivery: number;
  };
  close(): void;
}

type Row = Record<string, number | string | Uint8Array | null>;

/**
 * Opens `journal.db` in a directory for reading.
 * @throws JournalError where there is none, a receiver has it open, or another version of the program made it
 */
export function openSqliteSource(directory: string): JournalSource {
  const file = join(directory, 'journal.db');
  if (!existsSync(file))
    throw new JournalError('JournalUnavailable', `there is no journal.db in ${directory}`);
  try {
    const db = new DatabaseSync(file);
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version === MIGRATIONS.length) return sourceOf(db);
    db.close();
    throw new JournalError(
      version > MIGRATIONS.length ? 'JournalTooNew' : 'JournalUnavailable',
      `the journal in ${directory} is of version ${version}, and this program copies version ${MIGRATIONS.length}; start and stop this version's receiver with it once`,
    );
  } catch (error) {
    throw journalError(error, directory);
  }
}

function sourceOf(db: DatabaseSync): JournalSource {
  const name = (column: string): string => `(SELECT text FROM name WHERE id = ${column})`;
  const events =
    db.prepare(`SELECT id, received, ${name('entrance')} AS entrance, first, deliveries, attributes, head, data
    FROM event WHERE id > ? ORDER BY id LIMIT ${STEP}`);
  const delivery = (table: string, more: string, where: string): string =>
    `SELECT d.id, d.event, ${name('d.trigger')} AS trigger, ${name('d.shape')} AS shape, d.state, ${more}, d.reason,
      d.history, d.task, d.line, e.received, coalesce(length(e.data), 0) AS bytes
    FROM ${table} d JOIN event e ON e.id = d.event WHERE ${where} ORDER BY d.id LIMIT ${STEP}`;
  const ended = db.prepare(delivery('done', '0 AS due, d.at, 0 AS attempts', 'd.id > ?'));
  const oneEnded = db.prepare(delivery('done', '0 AS due, d.at, 0 AS attempts', 'd.id = ?'));
  const waiting = db.prepare(delivery('waiting', 'd.due, 0 AS at, d.attempts', 'd.id > ?'));
  const seen = db.prepare('SELECT id, body FROM seen WHERE id > ? ORDER BY id LIMIT 100');
  const rows =
    db.prepare(`SELECT id AS number, ${name('kind')} AS kind, key AS id, version, ${name('owner')} AS owner,
    ${name('status')} AS status, due, expires, created, changed, ${BODY} AS body
    FROM row WHERE row.id > ? ORDER BY row.id LIMIT ${STEP}`);

  return {
    events(after) {
      const taken: SourceEvent[] = [];
      let bytes = 0;
      for (const each of events.iterate(after)) {
        const row = each as unknown as Row & EventColumns;
        bytes += row.head.length + (row.data?.length ?? 0);
        taken.push({
          id: Number(row['id']),
          received: Number(row['received']),
          entrance: String(row['entrance']),
          first: Number(row['first']),
          deliveries: Number(row['deliveries']),
          attributes: attributesOf(row),
          record: recordOf(row),
          data: row.data ?? undefined,
        });
        if (bytes > STEP_BYTES) break;
      }
      return taken;
    },
    ended: (after) => (ended.all(after) as unknown as Row[]).map(deliveryOf),
    endedAmong: (ids) =>
      ids.flatMap((id) => {
        const row = oneEnded.get(id) as unknown as Row | undefined;
        return row === undefined ? [] : [deliveryOf(row)];
      }),
    waiting: (after) => (waiting.all(after) as unknown as Row[]).map(deliveryOf),
    dead: () =>
      (db.prepare('SELECT id FROM done WHERE state = 3').all() as { id: number }[]).map(({ id }) => id),
    keys(after) {
      const keys: SourceKey[] = [];
      let last = after;
      for (const { id, body } of seen.all(after) as unknown as { id: number; body: Uint8Array }[]) {
        last = id;
        eachEntry(body, (_key, offset) => {
          const { fingerprint, expires, answer } = readEntry(body, offset);
          keys.push({
            key: body.slice(offset, offset + 16),
            fingerprint: fingerprint.slice(),
            expires,
            answer: Buffer.from(answer).toString('utf8'),
          });
        });
      }
      return { keys, last };
    },
    rows: (after) =>
      (rows.all(after) as unknown as Row[]).map((row) => ({
        ...(row as unknown as SourceRow),
        due: row['due'] === null ? undefined : Number(row['due']),
        expires: row['expires'] === null ? undefined : Number(row['expires']),
      })),
    shapes: () =>
      db.prepare(`SELECT ${name('name')} AS hash, body FROM shape`).all() as unknown as {
        hash: string;
        body: string;
      }[],
    facts: () =>
      db
        .prepare(`SELECT (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM done) AS ended,
          (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM row) AS rows,
          coalesce((SELECT min(received) FROM event), 0) AS oldest, coalesce((SELECT max(received) FROM event), 0) AS newest,
          coalesce((SELECT min(id) FROM event), 0) AS firstEvent,
          max(coalesce((SELECT max(id) FROM event), 0), (SELECT event FROM sequence)) AS lastEvent,
          max(coalesce((SELECT max(id) FROM waiting), 0), coalesce((SELECT max(id) FROM done), 0),
            (SELECT delivery FROM sequence)) AS lastDelivery`)
        .get() as unknown as ReturnType<JournalSource['facts']>,
    close: () => db.close(),
  };
}

function deliveryOf(row: Row): SourceDelivery {
  const { reason, task, line, history } = row;
  return {
    ...(row as unknown as SourceDelivery),
    reason: reason === null ? undefined : String(reason),
    task: task === null ? undefined : String(task),
    line: line === null ? undefined : String(line),
    history: readAttempts(history as Uint8Array | null).map((attempt) => JSON.stringify(attempt)),
  };
}
