import type pg from 'pg';
import type { Settlement, Unit, UnitOutcome } from '../journal.ts';
import { int4s, texts } from './binary-array.ts';
import { insert, namesOf, noteShapes } from './insert.ts';
import { type Judgement, judge } from './judge.ts';
import { claimKeys, findKeys, keysOf, settleKeys } from './keys.ts';
import type { Names } from './names.ts';
import type { Part, Partitions } from './partitions.ts';
import { isDecidedAgain, sqlState } from './postgres-error.ts';
import { type Queries, send } from './queries.ts';
import { settle } from './settle.ts';
import { createTally, ROW_BYTES, type Tally } from './tally.ts';
import { DecideAgain, transaction } from './transaction.ts';

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
  /** Which session this is; another one after this one was given up. */
  readonly session: () => string;
  /** The others gave this session up: makes another. */
  readonly renew: () => Promise<void>;
  /** The commit is about to be sent; these deliveries are held once it is done. */
  readonly committing: (held: readonly number[]) => void;
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
/** No partition takes the row, or the one that would is closed. */
const NO_PARTITION = ['23514', '42P01'];
const ATTEMPTS = 8;

/** Makes the function that writes a batch in one transaction; it answers once that is on disk. */
export function createBatchWriter(parts: WriterParts) {
  const { names, partitions } = parts;
  /** `partition/shape` that the database knows of. */
  const noted = new Set<string>();

  function shapesToNote(part: Part, units: readonly Unit[]): number[] {
    const found = new Set<number>();
    for (const { deliveries } of units) for (const { shape } of deliveries) found.add(names.id(shape));
    return [...found].filter((shape) => !noted.has(`${part.id}/${shape}`));
  }

  async function once(client: pg.Client, batch: Batch): Promise<UnitOutcome[]> {
    const { units, settlements, shapes } = batch;
    await names.define(client, [...shapes.keys(), ...units.flatMap(namesOf)]);
    const part = await partForUnits(client, units);
    const count = units.reduce((sum, { deliveries }) => sum + deliveries.length, 0);
    const numbers = {
      event: part === undefined ? 0 : await partitions.ids(client, part, 'event', units.length),
      delivery: part === undefined || count === 0 ? 0 : await partitions.ids(client, part, 'delivery', count),
    };
    const session = parts.session();
    const tally = createTally();
    let refused: readonly (UnitOutcome | undefined)[] = [];
    let outcomes: readonly UnitOutcome[] = [];
    let noting: number[] = [];
    await transaction(client, async (on) => {
      send(on, { ...ALIVE, values: [session] });
      if (shapes.size > 0) putShapes(on, session, shapes);
      settle(on, session, settlements, partitions.isOpen);
      if (part === undefined) {
        parts.committing([]);
        return;
      }
      refused = await judgeBy(on, units, tally);
      const written = units.filter((_, i) => refused[i] === undefined);
      if (written.length > 0) {
        noting = shapesToNote(part, written);
        noteShapes(on, part.id, noting);
        outcomes = insert(on, written, numbers, { names, session, part: part.id, tally });
      }
      tally.write(on, session);
      parts.committing(heldOf(units, refused, outcomes));
    });
    if (part !== undefined) for (const shape of noting) noted.add(`${part.id}/${shape}`);
    let next = 0;
    return units.map((_, i) => refused[i] ?? (outcomes[next++] as UnitOutcome));
  }

  async function judgeBy(on: Queries, units: readonly Unit[], tally: Tally): Promise<Judgement['refused']> {
    const asked = keysOf(units);
    const claimed = await claimKeys(on, asked.wanted);
    const others = [...asked.wanted.keys(), ...asked.looked].filter((key) => !claimed.has(key));
    const found = await findKeys(on, others);
    for (const key of asked.wanted.keys()) {
      // Somebody had it a moment ago and has let it go.
      if (!claimed.has(key) && !found.has(key)) throw new DecideAgain();
    }
    const { refused, taken } = judge(units, found);
    settleKeys(on, asked, claimed, taken);
    for (const { answer } of taken.values()) tally.add('key', '', 'bytes', ROW_BYTES.key + answer.length);
    return refused;
  }

  function heldOf(
    units: readonly Unit[],
    refused: readonly unknown[],
    outcomes: readonly UnitOutcome[],
  ): number[] {
    const written = units.filter((_, i) => refused[i] === undefined);
    return outcomes.flatMap((outcome, i) =>
      outcome.outcome === 'committed' && written[i]?.deliveries.some(({ held }) => held) === true
        ? outcome.deliveries
        : [],
    );
  }

  async function partForUnits(client: pg.Client, units: readonly Unit[]): Promise<Part | undefined> {
    if (units.length === 0) return undefined;
    return partitions.current(client, Math.max(...units.map(({ event }) => event.receivedAt)));
  }

  function putShapes(on: Queries, session: string, shapes: Batch['shapes']): void {
    const ids = int4s([...shapes.keys()].map((hash) => names.id(hash)));
    send(on, { ...PUT_SHAPES, values: [session, ids, texts([...shapes.values()])] });
  }

  /** Takes a batch's transaction back and says whether the batch may be tried again. */
  async function recover(client: pg.Client, error: unknown): Promise<boolean> {
    const state = sqlState(error);
    await client.query('ROLLBACK');
    if (state === DIVISION_BY_ZERO) {
      await parts.renew();
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
      try {
        return await once(client, batch);
      } catch (error) {
        if (!(await recover(client, error)) || attempt === ATTEMPTS) throw error;
      }
    }
  };
}
