import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';

/** Linux's clock ticks per second, as `/proc` counts CPU time. */
const TICKS = 100;

/** CPU seconds that a server and its processes have used, those that have ended included. */
export function serverCpuSeconds(postmaster: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(name);
    if (Number(name) === postmaster) ticks += sum(fields, 11, 15);
    else if (Number(fields[1]) === postmaster) ticks += sum(fields, 11, 13);
  }
  return ticks / TICKS;
}

/** A server's processes, the postmaster first. */
export function processesOf(postmaster: number): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = all.filter((name) => Number(statOf(name)[1]) === postmaster);
  return [postmaster, ...children.map(Number)];
}

function statOf(pid: string): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

function sum(fields: readonly string[], from: number, to: number): number {
  return fields.slice(from, to).reduce((total, field) => total + Number(field), 0);
}

/** What a server has written so far, in bytes. */
export interface Written {
  /** Of its write-ahead log. */
  readonly wal: number;
  /** Flushes of the log: one or less for each transaction. */
  readonly flushes: number;
  readonly transactions: number;
  /** Of tables and indexes of the journal, on disk. */
  readonly tables: number;
}

/** Reads it. */
export async function written(client: pg.Client): Promise<Written> {
  const { rows } = await client.query(`SELECT
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
    (SELECT wal_sync FROM pg_stat_wal)::float8 AS flushes,
    (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())::float8 AS transactions,
    (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'signalbox' AND c.relkind = 'r')::float8 AS tables`);
  return rows[0] as Written;
}

/** Looks every now and then what the receivers' statements wait for. */
export function watchLocks(client: pg.Client): { end(): Promise<number> } {
  let active = 0;
  let locked = 0;
  let look: Promise<void> = Promise.resolve();
  const sample = async (before: Promise<void>): Promise<void> => {
    await before;
    const { rows } = await client.query(`SELECT count(*)::int AS active,
      count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS locked
      FROM pg_stat_activity WHERE application_name = 'signalbox' AND state <> 'idle'`);
    const seen = rows[0] as { active: number; locked: number };
    active += seen.active;
    locked += seen.locked;
  };
  const timer = setInterval(() => {
    look = sample(look);
  }, 50);
  return {
    async end() {
      clearInterval(timer);
      await look;
      return Math.round((locked / Math.max(active, 1)) * 1000) / 10;
    },
  };
}
