import type { DatabaseSync } from 'node:sqlite';
import { JournalError, type JournalStats } from '../journal.ts';
import { createBatchReader, readTexts } from './batch-reader.ts';
import { type ClaimBounds, createClaims } from './claim.ts';
import { holdWal, openDatabase, PAGE_BYTES } from './database.ts';
import { createDueMover } from './due-rows.ts';
import type { Reach } from './failpoint.ts';
import { isHeld } from './hold.ts';
import { openIdIndex } from './id-index.ts';
import { createLines } from './lines.ts';
import { createLists } from './lists.ts';
import { openNames } from './names.ts';
import { createPruner, type Pruned } from './prune.ts';
import { createRowReader } from './read-rows.ts';
import { createReplyWriter } from './reply.ts';
import type { HistoryLimits, Retention } from './retention.ts';
import { createRowCounts } from './row-counts.ts';
import { openSeenIndex } from './seen-index.ts';
import { createSettler } from './settle.ts';
import { openShapes } from './shapes.ts';
import { createSpace } from './space.ts';
import { isIoError, journalError } from './sqlite-error.ts';
import { openTally } from './tally.ts';
import { createUndoneCount } from './undone-count.ts';
import { type Batch, OPERATION, OPERATION_HEAD } from './wire.ts';
import { createRowWriter } from './write-rows.ts';
import { createUnitWriter } from './write-unit.ts';

export interface StoreOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly retention: Retention;
  readonly limits: HistoryLimits;
  /** Keys in memory before they make a sorted run. */
  readonly runKeys: number;
}

/** What is answered to a batch. */
export interface Written {
  readonly reply: ArrayBuffer;
  /** Settlements and Shapes that could not be written and are tried again with the next batch, and why. */
  readonly deferred: number;
  readonly error: JournalError | undefined;
  /** The files can't be relied on through this connection any more: it must be opened anew. */
  readonly lost: boolean;
}

/** Steps of trimming that a batch does at most: more than its own size, so that trimming keeps up. */
const TRIM_STEPS = 8;
/** The WAL is put into the file after about so many pages, between batches and not within a caller's wait. */
const CHECKPOINT_PAGES = 500;
/** What a transaction writes beside its batch's own bytes: inner pages, tails, indexes. */
const PAGES_PER_BATCH = 8;

function isShared({ code }: JournalError): boolean {
  return code === 'JournalFull' || code === 'JournalCorrupt';
}

function fullMessage(directory: string, maxBytes: number): string {
  return `the journal in ${directory} has reached its limit of ${maxBytes} bytes with undelivered events, dead letters and dedup keys; let deliveries go on, or raise maxBytes`;
}

/** The journal as its own thread sees it: everything is synchronous. Created by `openStore`. */
export type Store = ReturnType<typeof openStore>;

/** Opens the journal in a directory; `reach` is for the crash tests. @throws JournalError */
export function openStore(options: StoreOptions, reach: Reach = () => undefined) {
  const { directory } = options;
  const db = openDatabase(directory, reach);
  let parts: ReturnType<typeof openParts>;
  try {
    parts = openParts(db, options, reach);
  } catch (error) {
    db.close();
    throw journalError(error, directory);
  }
  return { ...parts, close: () => closeStore(db, reach), abandon: () => db.close() };
}

function closeStore(db: DatabaseSync, reach: Reach): void {
  reach('checkpoint:before');
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  reach('checkpoint:after');
  db.close();
}

function openParts(
  db: DatabaseSync,
  { directory, maxBytes, retention, limits, runKeys }: StoreOptions,
  reach: Reach,
) {
  // Nobody holds anything yet: what a former process held is claimed again.
  db.exec('UPDATE waiting SET holder = 0 WHERE holder <> 0');
  const names = openNames(db);
  const seen = openSeenIndex(db, runKeys);
  const shapes = openShapes(db, names);
  const tally = openTally(db);
  const space = createSpace(db, maxBytes);
  const reply = createReplyWriter();
  const reader = createBatchReader();
  const lines = createLines(db);
  const ids = openIdIndex(db, () => tally.event);
  const counts = createRowCounts(db);
  const rows = createRowWriter(db, { names, counts });
  const rowReader = createRowReader(db, names);
  const dueMover = createDueMover(db);
  const settler = createSettler(db, { tally, shapes, lines });
  const units = createUnitWriter(db, { names, seen, shapes, tally, lines, rows, ids, settler, reply });
  const pruner = createPruner(db, { tally, retention, limits });
  const lists = createLists(db, { names, ids, directory });
  let damaged: number[] = [];
  const claims = createClaims(db, { names, tally, lines, damaged: (delivery) => damaged.push(delivery) });
  const oldest = db.prepare(
    'SELECT received FROM event WHERE id = (SELECT event FROM waiting ORDER BY id LIMIT 1)',
  );
  const countUndone = createUndoneCount(db, names);
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  /** Operations that failed though nobody waits for them: packed, oldest first. */
  let deferred: Uint8Array[] = [];
  let pages = 0;
  let holding = false;
  /** The last walk through the history found nothing more to drop. */
  let exhausted = false;

  /** Damage was met: nothing is served or taken any more until someone has looked. */
  let broken: JournalError | undefined;
  /** Why calls are refused while settlements are taken. */
  let refusal: JournalError | undefined;

  function transaction<T>(work: () => T): T {
    if (broken !== undefined) throw broken;
    try {
      begin.run();
      const result = work();
      units.write();
      settler.write();
      seen.write();
      counts.write();
      tally.write();
      ids.write();
      reach('commit:before');
      commit.run();
      reach('commit:after');
      tally.committed();
      ids.committed();
      seen.committed();
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      names.rolledBack();
      units.rolledBack();
      settler.rolledBack();
      tally.rolledBack();
      ids.rolledBack();
      seen.rolledBack();
      counts.rolledBack();
      const failure = journalError(error, directory);
      if (failure.code === 'JournalCorrupt') broken = failure;
      throw failure;
    }
  }

  /** Near the limit delivered history goes, a piece with every batch; at the limit calls are refused. */
  function makeRoom(bytes: number): void {
    refusal = undefined;
    if (!space.tightAfter(bytes)) return;
    for (let step = 0; step < TRIM_STEPS && space.tight; step++) {
      exhausted = !pruner.pressed().more;
      if (exhausted) break;
    }
    if (space.full) refusal = new JournalError('JournalFull', fullMessage(directory, maxBytes));
  }

  function changed(): void {
    exhausted = false;
    pruner.changed();
  }

  /** Executes the operation that the reader has entered. */
  const execute: Readonly<Record<number, () => void>> = {
    [OPERATION.call]() {
      if (refusal !== undefined) {
        reply.failed(refusal);
        return;
      }
      reply.begin();
      for (let left = reader.u32(); left > 0; left--) units.execute(reader);
    },
    [OPERATION.settle]() {
      settler.execute(reader, reader.end);
      if (exhausted) changed();
    },
    [OPERATION.shape]() {
      const hash = names.id(reader.u32());
      shapes.put(hash, reader.text(reader.u32()));
    },
  };

  function executeAll(operations: Uint8Array): void {
    reader.open(operations);
    for (let kind = reader.next(); kind !== 0; kind = reader.next()) execute[kind]?.();
  }

  function together(operations: Uint8Array, calls: number): void {
    transaction(() => {
      if (calls > 0) makeRoom(operations.length);
      for (const operation of deferred) executeAll(operation);
      executeAll(operations);
    });
    deferred = [];
  }

  /** The group failed: what nobody waits for goes first, then every call alone, so that only the guilty fail. */
  function apart(operations: Uint8Array, first: JournalError): JournalError | undefined {
    const calls: Uint8Array[] = [];
    reader.open(operations);
    for (let kind = reader.next(); kind !== 0; kind = reader.next()) {
      const operation = operations.subarray(reader.at - OPERATION_HEAD, reader.end);
      if (kind === OPERATION.call) calls.push(operation);
      else deferred.push(operation.slice());
    }
    const late = attempt(() => transaction(() => deferred.forEach(executeAll)));
    if (late === undefined) deferred = [];
    // A full disk or damage is everybody's: the others need not find out one by one.
    let shared = isShared(first) ? first : undefined;
    for (const operation of calls) {
      const size = reply.size;
      const failure = shared ?? attempt(() => transaction(() => executeAll(operation)));
      if (failure === undefined) continue;
      if (isShared(failure)) shared = failure;
      reply.cut(size);
      reply.failed(failure);
    }
    return late;
  }

  function attempt(work: () => void): JournalError | undefined {
    try {
      work();
      return undefined;
    } catch (error) {
      return journalError(error, directory);
    }
  }

  function sealRun(): void {
    transaction(() => {
      seen.seal(Number.NEGATIVE_INFINITY);
      reach('seal:before');
    });
    reach('seal:after');
  }

  /** While the files are being copied nothing is put from the WAL into the database. */
  function waitsForCopy(): boolean {
    const held = isHeld(directory, Date.now());
    if (held !== holding) attempt(() => holdWal(db, held));
    holding = held;
    return held;
  }

  function pruneStep(now: number): Pruned {
    const aged = pruner.aged(now);
    const surplus = aged.more ? aged : pruner.surplus(now);
    const removed = aged.removed + (aged.more ? 0 : surplus.removed);
    const keys = seen.seal(now) || seen.expire(now);
    const rowsLeft = rows.expire(now);
    const more = surplus.more || keys || rowsLeft;
    const shapesLeft = more ? false : shapes.collect();
    if (removed > 0) ids.dropOld();
    if (removed > 0 || keys) changed();
    return { removed, more: more || shapesLeft };
  }

  return {
    /** Writes a batch in one transaction. Never throws: what fails is told in the reply. */
    write(batch: Batch): Written {
      const bytes = new Uint8Array(batch.buffer);
      for (const text of readTexts(bytes.subarray(batch.names, batch.used))) names.define(text);
      const operations = bytes.subarray(0, batch.names);
      const failed = attempt(() => together(operations, batch.calls));
      if (failed === undefined) return { reply: reply.take(), deferred: 0, error: undefined, lost: false };
      reply.cut(0);
      // A WAL that was put into the file is written from its beginning: on a full disk that is all the room there is.
      if (failed.code === 'JournalFull') pages = CHECKPOINT_PAGES;
      const error = apart(operations, failed);
      return { reply: reply.take(), deferred: deferred.length, error, lost: isIoError(failed) };
    },
    /** What is better done when nobody waits: a run of dedup keys, the WAL into the file. */
    tidy(bytes: number): void {
      if (seen.ripe) attempt(sealRun);
      pages += PAGES_PER_BATCH + bytes / PAGE_BYTES;
      if (pages < CHECKPOINT_PAGES || waitsForCopy()) return;
      pages = 0;
      reach('checkpoint:before');
      attempt(() => db.exec('PRAGMA wal_checkpoint(PASSIVE)'));
      reach('checkpoint:after');
    },
    shape: (hash: string) => shapes.get(hash),
    claim(bounds: ClaimBounds) {
      const deliveries = transaction(() => claims.claim(bounds));
      const told = damaged;
      damaged = [];
      return { deliveries, damaged: told };
    },
    nextDue: claims.nextDue,
    release: (trigger: string, now: number) => transaction(() => claims.release(trigger, now)),
    events: lists.events,
    deliveries: lists.deliveries,
    event: lists.event,
    ...rowReader,
    /**
     * One step of making place for the due rows of a kind; true: another may be needed. Where it cannot be written, they are
     * found all the same.
     */
    moveDue(kind: string, now: number): boolean {
      const { entries, more } = dueMover.near(names.idOf(kind), now);
      if (entries.length === 0) return false;
      return attempt(() => transaction(() => dueMover.move(entries))) === undefined && more;
    },
    stats(): JournalStats {
      const row = oldest.get() as { received: number } | undefined;
      return {
        backlog: tally.backlog,
        dead: tally.dead,
        bytes: space.bytes,
        ...(row === undefined ? {} : { oldest: row.received }),
      };
    },
    countUndone,
    /** One step of dropping what has passed its time or is more than may be kept, with one fsync. */
    prune(now: number): Pruned {
      return transaction(() => {
        const pruned = pruneStep(now);
        reach('prune:before');
        return pruned;
      });
    },
  };
}
