import type { DeliveryEngine } from '../deliver/engine-contract.ts';
import { heldUp } from '../deliver/held-up.ts';
import { type MadeParts, tellMade } from '../deliver/made.ts';
import { deliveryOf } from '../deliver/redrive.ts';
import type { Journal, Settlement, StateRow, UnitOutcome } from '../journal/journal.ts';
import type { Observer } from '../observe/observer.ts';
import { commitTimed } from '../observe/timed-commit.ts';
import type { Renderers } from '../routing/renderers.ts';
import type { Runtime } from '../routing/runtime.ts';
import type { World } from './decide.ts';
import { Ledger, NeedRow, type Redriven, rowKey } from './ledger.ts';
import { createRowCache } from './row-cache.ts';
import { createRowLoader } from './row-loader.ts';
import { changeUnits, handed, type Making, type PlannedUnit } from './units.ts';

/** What it works with. */
export interface CommitterParts extends Pick<MadeParts, 'backlog'> {
  readonly journal: Pick<Journal, 'commit' | 'rows' | 'deliveries'>;
  /** The engine that makes the deliveries; it is made after this. */
  readonly engine: () => Pick<DeliveryEngine, 'room' | 'hand' | 'due'>;
  readonly renderers: Pick<Renderers, 'pin'>;
  readonly observer: Pick<Observer, 'queued' | 'committed'>;
  readonly runtime: () => Runtime;
  readonly now: () => number;
  readonly world: (now: number) => World;
  /** A dead letter of the trigger waits again. */
  readonly brought: (trigger: string) => void;
  /** A row was written. */
  readonly written: (row: StateRow) => void;
}

/** Rows as a decision goes by; what is missing is read and added. */
export type Rows = Map<string, StateRow | undefined>;

/** Reads the rows that decisions need, and commits what they come to. */
export interface Committer {
  /** Decides by what is known, and reads what is missing until it can. */
  decide<T>(known: Rows, at: number, by: (ledger: Ledger) => T): Promise<Decided<T>>;
  making(at: number, ledgers: readonly Ledger[], plain?: { deliveries: number; bytes: number }): Making;
  /**
   * Commits units, and hands over the deliveries that memory holds. `concluded` is called before that: whoever delivers
   * finds the rows as they are now.
   */
  commit(
    planned: readonly PlannedUnit[],
    at: number,
    concluded: (outcomes: readonly UnitOutcome[]) => void,
  ): Promise<void>;
  /** What a decision wrote is known from now on; what was overtaken is to be read anew. */
  learn(ledger: Ledger, outcome: UnitOutcome): void;
  /** Decides and commits a change that no event brings, again where somebody else was faster. */
  change<T>(
    known: Rows,
    settlements: readonly Settlement[],
    by: (ledger: Ledger, on: World) => T,
  ): Promise<T>;
  /** A row as it was last seen, maybe a while ago. */
  lastSeen(kind: string, id: string): StateRow | undefined;
}

const CACHE_BYTES = 32 << 20;

/** Makes it. */
export function createCommitter(parts: CommitterParts): Committer {
  const { journal, renderers, runtime, now, world } = parts;
  const cache = createRowCache(CACHE_BYTES);
  const load = createRowLoader(journal);

  async function decide<T>(known: Rows, at: number, by: (ledger: Ledger) => T): Promise<Decided<T>> {
    for (;;) {
      const ledger = new Ledger(known, at);
      try {
        return { ledger, result: by(ledger) };
      } catch (error) {
        if (!(error instanceof NeedRow)) throw error;
        const { kind, id } = error;
        known.set(rowKey(kind, id), cache.get(kind, id) ?? (await load(kind, id)));
      }
    }
  }

  async function commit(
    planned: readonly PlannedUnit[],
    at: number,
    concluded: (outcomes: readonly UnitOutcome[]) => void,
  ): Promise<void> {
    const units = planned.map(({ unit }) => unit);
    const redriven = planned.flatMap(({ redriven: some = [] }, unit) =>
      some.map((one) => ({ ...one, unit })),
    );
    const dead = redriven.length === 0 ? redriven : await deadAmong(redriven);
    const outcomes = await new Promise<readonly UnitOutcome[]>((resolve, reject) => {
      commitTimed(parts, units, (error, came) => (error === undefined ? resolve(came) : reject(error)));
    });
    tellMade(units, outcomes, parts);
    for (const { unit, trigger } of dead) if (outcomes[unit]?.outcome === 'committed') parts.brought(trigger);
    concluded(outcomes);
    parts.engine().hand(handed(planned, outcomes, at));
    if (redriven.length > 0) parts.engine().due(at);
  }

  /** One that waits already, since it was redriven by its id, is not brought back a second time. */
  async function deadAmong<T extends Redriven>(redriven: readonly T[]): Promise<readonly T[]> {
    const found = await Promise.all(redriven.map(({ delivery }) => deliveryOf(delivery, journal)));
    return redriven.filter((_, i) => found[i]?.state === 'dead');
  }

  function forget(ledger: Ledger): void {
    for (const { kind, id } of ledger.rows()) cache.drop(rowKey(kind, id));
  }

  function learn(ledger: Ledger, outcome: UnitOutcome): void {
    if (outcome.outcome === 'committed') {
      for (const [key, row] of ledger.after()) {
        cache.put(key, row);
        if (row !== undefined) parts.written(row);
      }
    } else if (outcome.outcome === 'conflict') {
      forget(ledger);
    }
  }

  function making(
    at: number,
    ledgers: readonly Ledger[],
    plain: { deliveries: number; bytes: number } = { deliveries: 0, bytes: 0 },
  ): Making {
    const table = runtime();
    let { deliveries } = plain;
    for (const ledger of ledgers) {
      deliveries += ledger.deliveries.length + ledger.copies.length;
      for (const { shape } of ledger.deliveries) renderers.pin(shape);
      for (const { delivery } of ledger.copies) renderers.pin(delivery.shape);
    }
    return {
      now: at,
      revision: table.revision,
      room: parts.engine().room(deliveries, plain.bytes),
      parked(trigger, step) {
        const entry = table.trigger(trigger)?.entry;
        const target = step === undefined ? entry : entry?.stream?.steps.find(({ name }) => name === step);
        if (entry === undefined || target === undefined) return undefined;
        return heldUp({ suspend: entry.suspend, destination: target.destination });
      },
    };
  }

  return {
    decide,
    making,
    commit,
    learn,
    async change(known, settlements, by) {
      let fresh = false;
      for (let rows = known; ; rows = new Map()) {
        const at = now();
        const { ledger, result } = await decide(rows, at, (it) => by(it, world(at)));
        if (ledger.isEmpty && settlements.length === 0) {
          // Where nothing is written nothing is checked: what memory says may be outdated.
          if (fresh) return result;
          fresh = true;
          forget(ledger);
          continue;
        }
        let overtaken = false;
        await commit(changeUnits(ledger, settlements, making(at, [ledger])), at, (outcomes) => {
          const outcome = outcomes.at(-1);
          if (outcome === undefined) return;
          learn(ledger, outcome);
          overtaken = outcome.outcome === 'conflict';
        });
        if (!overtaken) return result;
      }
    },
    lastSeen: cache.get,
  };
}

/** What was decided, and what that rests on. */
export interface Decided<T> {
  readonly ledger: Ledger;
  readonly result: T;
}
