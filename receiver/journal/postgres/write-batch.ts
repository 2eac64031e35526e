import type pg from 'pg';
import type { Settlement, Unit, UnitOutcome } from '../journal.ts';
import { int4s, texts } from './binary-array.ts';
import { type InsertParts, insert, namesOf, noteShapes, numbered, type Written } from './insert.ts';
import { type Judgement, judge } from './judge.ts';
import { claimKeys, findKeys, keysOf, settleKeys, takeKeys } from './keys.ts';
import type { Line, Lines } from './lines.ts';
import type { Names } from './names.ts';
import type { Part, Partitions } from './partitions.ts';
import { isDecidedAgain, sqlState } from './postgres-error.ts';
import { type Queries, send } from './queries.ts';
import { type SettleParts, settle } from './settle.ts';
import { createTally, ROW_BYTES, type Tally } from './tally.ts';
import { DecideAgain, transaction } from './transaction.ts';
import { findRows, writeRows } from './write-rows.ts';

/** What is written in one transaction. */
export interface Batch {
  readonly units: readonly Unit[];
  readonly settlements: readonly Settlement[];
  readonly shapes: ReadonlyMap<string, string>;
}

/** What a session writes with. */
export interface WriterParts {
  readonly names: Names;
  readonly partitions: Partitions;
  readonly lines: Lines;
  /** Which session this is; another one after this one was given up. */
  readonly session: () => string;
  /** That session was given up by the others: makes another. */
  readonly renew: (gone: string) => Promise<void>;
  /** The commit is about to be sent by this connection; these deliveries are held once it is done. */
  readonly committing: (by: pg.Client, held: readonly number[]) => void;
}

/** Fails where the session is not there any more: what it holds would be held by nobody. */
const ALIVE = {
  name: 'session-alive',
  text: 'SELECT 1 / count(*) FROM (SELECT FROM session WHERE id = $1 FOR KEY SHARE) alive',
};
const PUT_SHAPES = {
  name: 'shapes-put',
  text: `WITH put AS (INSERT INTO shape SELECT * FROM unnest($2::int4[], $3::text[]) ON CONFLICT DO NOTHING)
    INSERT INTO shape_of SELECT $1::int8, unnest($2::int4[]) ON CONFLICT DO NOTHING`,
};
const DIVISION_BY_ZERO = '22012';
const UNIQUE_VIOLATION = '23505';
/** For so many batches after one in which somebody had a key, what keys there are is asked first. */
const ASKED_AFTER = 32;
/** No partition takes the row, or the one that would is closed. */
const NO_PARTITION = ['23514', '42P01'];
const ATTEMPTS = 8;

/** Makes the function that writes a batch in one transaction; it answers once that is on disk. */
export function createBatchWriter(parts: WriterParts) {
  const { names, partitions, lines } = parts;
  /** `partition/shape` that the database knows of. */
  const noted = new Set<string>();
  /** For how many batches more the keys are asked for. */
  let asking = 0;

  function shapesToNote(part: Part, written: readonly Written[]): number[] {
    const found = new Set<number>();
    for (const { unit } of written) for (const { shape } of unit.deliveries) found.add(names.id(shape));
    return [...found].filter((shape) => !noted.has(`${part.id}/${shape}`));
  }

  async function once(client: pg.Client, session: string, batch: Batch): Promise<UnitOutcome[]> {
    const { units, settlements, shapes } = batch;
    await names.define(client, namesOf(shapes.keys(), units));
    const part = await partForUnits(client, units);
    const numbers = await numbersFor(client, part, units);
    const tally = createTally();
    const settling = { session, isOpen: partitions.isOpen, lines, given: false };
    let refused: readonly (UnitOutcome | undefined)[] = [];
    let written: readonly Written[] = [];
    let noting: number[] = [];
    await transaction(client, async (on) => {
      send(on, { ...ALIVE, values: [session] });
      if (shapes.size > 0) putShapes(on, session, shapes);
      const told = await settle(on, settlements, { ...settling, given: true });
      refused = await judgeBy(on, units, tally);
      written = numbered(
        units.filter((_, i) => refused[i] === undefined),
        numbers,
      );
      if (part !== undefined) {
        noting = shapesToNote(part, written);
        noteShapes(on, part.id, noting);
      }
      const touched = await writeUnits(
        on,
        written,
        { names, lines, session, part: part?.id ?? 0, tally },
        settling,
      );
      // Answered by now, or soon: nothing waits that did not before, unless there is nothing but settlements.
      if (told.touched.length + touched.length > 0)
        lines.advance(on, (await Promise.all([...told.touched, ...touched])).flat());
      tally.write(on, session);
      parts.committing(client, heldOf(written));
    });
    if (part !== undefined) for (const shape of noting) noted.add(`${part.id}/${shape}`);
    let next = 0;
    return units.map((_, i) => refused[i] ?? (written[next++]?.outcome as UnitOutcome));
  }

  /** Inserts and settles; what settles deliveries of a line in the order of the units, all else together. */
  async function writeUnits(
    on: Queries,
    written: readonly Written[],
    inserting: InsertParts,
    settling: SettleParts,
  ): Promise<readonly Promise<readonly Line[]>[]> {
    const all = written.flatMap(({ unit }) => unit.settlements ?? []);
    const lined = await lines.among(
      on,
      all.map(({ delivery }) => delivery),
    );
    const touched: Promise<readonly Line[]>[] = [];
    let pending: Written[] = [];
    let later: Settlement[] = [];
    for (const each of written) {
      pending.push(each);
      const { settlements = [] } = each.unit;
      if (!settlements.some(({ delivery }) => lined.has(delivery))) {
        later.push(...settlements);
        continue;
      }
      insert(on, pending, inserting);
      touched.push(...(await settle(on, [...later, ...settlements], settling)).touched);
      pending = [];
      later = [];
    }
    insert(on, pending, inserting);
    touched.push(...(await settle(on, later, settling)).touched);
    return touched;
  }

  async function judgeBy(on: Queries, units: readonly Unit[], tally: Tally): Promise<Judgement['refused']> {
    if (units.length === 0) return [];
    const asked = keysOf(units);
    if (asking === 0 && asked.looked.size === 0 && units.every(({ rows = [] }) => rows.length === 0))
      return hope(on, units, tally);
    asking = Math.max(0, asking - 1);
    const had = await claimKeys(on, asked.wanted);
    const known = await findKeys(on, [...had, ...asked.looked]);
    // Somebody had it a moment ago and has let it go.
    if ([...had].some((key) => !known.has(key))) throw new DecideAgain();
    if (had.size > 0) asking = ASKED_AFTER;
    const rowsFound = await findRows(on, units);
    const { refused, taken, rows } = judge(units, known, rowsFound.stored);
    settleKeys(on, asked, had, taken);
    writeRows(on, rowsFound, rows, tally);
    countKeys(taken, tally);
    return refused;
  }

  /**
   * Takes it that all keys are new, as they nearly always are: nothing is to be awaited then, and the transaction is one
   * message. Where one is not, the transaction fails, and the batch is written again by what there is.
   */
  function hope(on: Queries, units: readonly Unit[], tally: Tally): Judgement['refused'] {
    const { refused, taken } = judge(units, new Map(), new Map());
    takeKeys(on, taken);
    countKeys(taken, tally);
    return refused;
  }

  async function numbersFor(
    client: pg.Client,
    part: Part | undefined,
    units: readonly Unit[],
  ): Promise<{ event: number; delivery: number }> {
    if (part === undefined) return { event: 0, delivery: 0 };
    const events = units.filter(({ event }) => event !== undefined).length;
    const deliveries = units.reduce((sum, unit) => sum + unit.deliveries.length, 0);
    return {
      event: await partitions.ids(client, part, 'event', events),
      delivery: deliveries === 0 ? 0 : await partitions.ids(client, part, 'delivery', deliveries),
    };
  }

  /** The newest partition that all of the units' events may go to; none, if no unit has an event. */
  async function partForUnits(client: pg.Client, units: readonly Unit[]): Promise<Part | undefined> {
    let at: number | undefined;
    for (const { event } of units)
      if (event !== undefined) at = Math.max(at ?? event.receivedAt, event.receivedAt);
    return at === undefined ? undefined : partitions.current(client, at);
  }

  function putShapes(on: Queries, session: string, shapes: Batch['shapes']): void {
    const ids = int4s([...shapes.keys()].map((hash) => names.id(hash)));
    send(on, { ...PUT_SHAPES, values: [session, ids, texts([...shapes.values()])] });
  }

  /** Takes a batch's transaction back and says whether the batch may be tried again. */
  async function recover(client: pg.Client, session: string, error: unknown): Promise<boolean> {
    const state = sqlState(error);
    await client.query('ROLLBACK');
    if (state === DIVISION_BY_ZERO) {
      await parts.renew(session);
      return true;
    }
    if (state === UNIQUE_VIOLATION && asking === 0) {
      asking = ASKED_AFTER;
      return true;
    }
    if (NO_PARTITION.includes(state)) {
      await partitions.refresh(client);
      return true;
    }
    return isDecidedAgain(error);
  }

  return async (client: pg.Client, batch: Batch): Promise<UnitOutcome[]> => {
    for (let attempt = 1; ; attempt++) {
      const session = parts.session();
      try {
        return await once(client, session, batch);
      } catch (error) {
        if (!(await recover(client, session, error)) || attempt === ATTEMPTS) throw error;
      }
    }
  };
}

function countKeys(taken: Judgement['taken'], tally: Tally): void {
  for (const { answer } of taken.values()) tally.add('key', '', 'bytes', ROW_BYTES.key + answer.length);
}

/** What this session will have in memory. */
function heldOf(written: readonly Written[]): number[] {
  return written.flatMap(({ unit, outcome }) =>
    outcome.deliveries.filter((_, i) => unit.deliveries[i]?.held === true),
  );
}
