import type pg from 'pg';
import { JournalError } from '../../journal.ts';
import type { PostgresAddress } from '../address.ts';
import { connect } from '../connection.ts';
import { checkServer, migrate } from '../migrate.ts';
import { createPartitions } from '../partitions.ts';
import { journalError } from '../postgres-error.ts';
import { STATE } from '../schema.ts';
import { createCopy, PART } from './copy-target.ts';
import type { JournalSource } from './sqlite-source.ts';

const LOCK = '1399287404, 1668247673';

/** What a copy came to. */
export interface CopyReport {
  /** In the database now; those that the source has dropped since an earlier copy included. */
  readonly events: number;
  readonly undone: number;
  readonly dead: number;
  readonly rows: number;
  /** By this copy. */
  readonly copied: {
    readonly events: number;
    readonly deliveries: number;
    readonly keys: number;
    readonly rows: number;
  };
}

/** Told of what is being copied and how many of it were. */
export type Progress = (what: string, done: number) => void;

/**
 * Copies an embedded journal into a database, or what has changed in it since the last copy. What was written is read back
 * and compared by checksum, and in the end counted. It can be broken off and goes on where it was.
 * @throws JournalError where the database is in use or holds another journal, or what is read back differs
 */
export async function copyJournal(
  source: JournalSource,
  address: PostgresAddress,
  progress: Progress = () => undefined,
): Promise<CopyReport> {
  const { shown } = address;
  let client: pg.Client | undefined;
  try {
    client = await connect(address);
    await checkServer(client, shown, () => undefined);
    await migrate(client, shown);
    return await copyOn(client, source, shown, progress);
  } catch (error) {
    throw journalError(error, shown);
  } finally {
    await client?.end().catch(() => undefined);
  }
}

async function copyOn(
  client: pg.Client,
  source: JournalSource,
  shown: string,
  progress: Progress,
): Promise<CopyReport> {
  await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0');
  await claimDatabase(client, shown);
  const facts = source.facts();
  await preparePart(client, facts);
  const copy = createCopy(client, source, shown);
  const before = await copy.through();
  const copied = { events: 0, deliveries: 0, keys: 0, rows: 0 };
  await copy.shapes();
  for (let { events: after } = before; ; ) {
    const events = source.events(after);
    if (events.length === 0) break;
    await copy.events(events);
    after = events.at(-1)?.id ?? after;
    progress('events', (copied.events += events.length));
  }
  const earlier = (await copy.changeable(source.dead())).filter((id) => id <= before.deliveries);
  for (let from = 0; from < earlier.length; from += 1000)
    copied.deliveries += await copy.ended(source.endedAmong(earlier.slice(from, from + 1000)), undefined);
  for (let { deliveries: after } = before; ; ) {
    const ended = source.ended(after);
    if (ended.length === 0) break;
    after = ended.at(-1)?.id ?? after;
    copied.deliveries += await copy.ended(ended, after);
    progress('deliveries', copied.deliveries);
  }
  for (let { keys: after } = before; ; ) {
    const { keys, last } = source.keys(after);
    if (keys.length === 0) break;
    await copy.keys(keys, last);
    after = last;
    progress('dedup keys', (copied.keys += keys.length));
  }
  copied.rows = await copy.rows();
  copied.deliveries += await copy.waiting();
  await copy.finish(facts);
  return { ...(await counted(client, source, shown)), copied };
}

async function claimDatabase(client: pg.Client, shown: string): Promise<void> {
  const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LOCK}) AS locked,
    (SELECT count(*) FROM session)::int AS sessions, (SELECT count(*) FROM part WHERE id <> ${PART})::int AS others,
    (SELECT count(*) FROM part)::int AS parts, to_regclass('copied') IS NOT NULL AS begun`);
  const { locked, sessions, others, parts, begun } = rows[0] as Record<string, number | boolean>;
  const refuse = (why: string): never => {
    throw new JournalError('JournalLocked', `the database ${shown} ${why}`);
  };
  if (locked === false) refuse('is being copied to by another process; let that end');
  if (Number(sessions) > 0) refuse('is in use by a receiver; stop it, a copy goes into a journal at rest');
  if (Number(others) > 0 || (Number(parts) > 0 && begun === false))
    refuse('holds a journal of its own; a copy goes into an empty database');
  await client.query('CREATE TABLE IF NOT EXISTS copied (what text PRIMARY KEY, through float8 NOT NULL)');
}

async function preparePart(
  client: pg.Client,
  { oldest, newest }: ReturnType<JournalSource['facts']>,
): Promise<void> {
  const partitions = createPartitions(1, () => 0);
  const { rows } = await client.query('SELECT id FROM part');
  if (rows.length === 0) await partitions.current(client, oldest);
  await client.query({
    text: `UPDATE part SET opened = least(opened, $1), until = greatest(until, $2) WHERE id = ${PART}`,
    values: [oldest, newest + 1],
  });
}

/** Counts both sides. */
async function counted(
  client: pg.Client,
  source: JournalSource,
  shown: string,
): Promise<Omit<CopyReport, 'copied'>> {
  const facts = source.facts();
  const { rows } = await client.query({
    text: `SELECT (SELECT count(*) FROM event WHERE id >= $1)::int AS present, (SELECT count(*) FROM event)::int AS events,
      (SELECT count(*) FROM waiting)::int AS undone, (SELECT count(*) FROM ended WHERE state = ${STATE.dead})::int AS dead,
      (SELECT count(*) FROM state_row)::int AS rows`,
    values: [facts.firstEvent],
  });
  const { present, events, undone, dead, rows: stateRows } = rows[0] as Record<string, number>;
  const expected = [facts.events, facts.waiting, source.dead().length, facts.rows];
  const found = [present, undone, dead, stateRows];
  if (found.join() !== expected.join()) {
    throw new JournalError(
      'JournalCorrupt',
      `events, undone deliveries, dead letters and rows are ${expected.join(', ')} in the source and ${found.join(', ')} in ${shown}; begin with an empty database`,
    );
  }
  return { events: events ?? 0, undone: undone ?? 0, dead: dead ?? 0, rows: stateRows ?? 0 };
}
