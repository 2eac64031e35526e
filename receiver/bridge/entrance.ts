import {
  type Accepted,
  type Arrival,
  acceptedOf,
  deliveriesOf,
  heldDeliveries,
  type Matched,
  senders,
  unitOf,
} from '../acceptance.ts';
import type { Backlog } from '../deliver/backlog.ts';
import type { DeliveryEngine } from '../deliver/engine-contract.ts';
import { type MadeParts, tellMade } from '../deliver/made.ts';
import { RequestError } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Journal, RowWrite, Unit, UnitOutcome } from '../journal/journal.ts';
import type { Observer } from '../observe/observer.ts';
import { commitTimed } from '../observe/timed-commit.ts';
import { backlogged } from '../refusals.ts';
import type { Renderers } from '../routing/renderers.ts';
import type { RunningBridge, Runtime } from '../routing/runtime.ts';
import type { Dedup } from '../routing/table.ts';
import type { Streams } from '../streams/streams.ts';

/** What became of events that a bridge read. */
export interface Written {
  readonly events: number;
  readonly duplicates: number;
  readonly differing: number;
}

/** Why events could not be written: `lost` means that another receiver reads by now. */
export interface Unwritten {
  readonly lost: boolean;
  readonly cause: string;
}

/** A row to write, and what then holds of it. */
export interface FencedRows {
  readonly row: RowWrite;
  readonly fence: RowWrite;
}

/**
 * Writes events that a bridge read, and first of all `rows.row`, in one transaction, where each event's unit expects
 * `rows.fence`; without `rows` the events alone. Calls back once that is durable, or could not be done.
 */
export type WriteEvents = (
  bridge: RunningBridge,
  events: readonly CloudEvent[],
  rows: FencedRows | undefined,
  done: (written: Written | Unwritten) => void,
) => void;

/** What events come in by. */
export interface EntranceParts {
  readonly journal: Pick<Journal, 'commit'>;
  readonly engine: DeliveryEngine;
  readonly backlog: Pick<Backlog, 'full' | 'added'>;
  readonly observer: Observer;
  readonly renderers: Renderers;
  readonly streams: Pick<Streams, 'asked' | 'write'>;
  readonly runtime: () => Runtime;
  readonly now: () => number;
}

/** The default window: a backend tells a thing again within moments, if at all. */
const DEDUP: Dedup = { enabled: true, windowMs: 86_400_000 };

/** Makes the entrance `EventBridge/namespace/name`: matched, journaled and delivered as what comes in by the doors. */
export function createBridgeEntrance(parts: EntranceParts): WriteEvents {
  const { engine, backlog, observer, renderers, streams, runtime, now } = parts;
  const made: MadeParts = { backlog, observer, engine: () => engine, now };
  /** By entrance, what is written in steps; what comes after it waits. */
  const inSteps = new Map<string, Promise<void>>();

  function arrivalAt(entrance: string): Arrival {
    const { revision } = runtime();
    return { entrance, dedup: DEDUP, key: undefined, revision, now: now(), idSource: ojsSource };
  }

  function observe({ entrance, now: at }: Arrival, accepted: Accepted): void {
    const { source, id, duplicate, differs, triggers } = accepted;
    observer.accepted(entrance, duplicate, triggers, now() - at);
    if (duplicate) observer.repeated({ at, entrance, source, id, differs });
  }

  /**
   * Events that start or wake instances: their rows are read, decided by and written with them. Before the position that
   * says that they were read: should this end between, they are read again, and known.
   */
  async function writeAsking(
    matched: readonly Matched[],
    arrival: Arrival,
    written: (accepted: readonly Accepted[]) => void,
  ): Promise<void> {
    const outcomes = await streams.write(matched, arrival, false);
    const accepted = outcomes.flatMap((outcome) => (outcome instanceof RequestError ? [] : [outcome]));
    for (const one of accepted) observe(arrival, one);
    written(accepted);
  }

  function writePlain(
    matched: readonly Matched[],
    arrival: Arrival,
    rows: FencedRows | undefined,
    done: (accepted: readonly Accepted[] | Unwritten) => void,
  ): void {
    const held = hasRoom(matched);
    for (const { triggers } of matched) for (const trigger of triggers) renderers.pin(trigger.shape);
    const units = matched.map((each): Unit => {
      const deliveries = deliveriesOf(each, arrival, runtime(), held);
      const unit = unitOf(each.event, senders(each), arrival, deliveries);
      return rows === undefined ? unit : { ...unit, rows: [rows.fence] };
    });
    const first: readonly Unit[] =
      rows === undefined ? [] : [{ deliveries: [], rows: [rows.row], answer: '' }];
    if (first.length + units.length === 0) {
      done([]);
      return;
    }
    commitTimed(parts, [...first, ...units], (error, all) => {
      if (error !== undefined || all.length !== first.length + units.length) {
        done({ lost: false, cause: error?.message ?? 'the journal answered too little' });
      } else if (all.some(({ outcome }) => outcome === 'conflict')) {
        done({ lost: true, cause: `another receiver reads ${arrival.entrance}` });
      } else {
        const outcomes = all.slice(first.length);
        done(tell(matched, arrival, outcomes));
        tellMade(units, outcomes, made);
        if (held) hand(matched, arrival, units, outcomes);
      }
    });
  }

  /** What one reader has read is written in that order, whatever it asks. */
  async function inTurn(entrance: string, write: () => Promise<void>): Promise<void> {
    const earlier = inSteps.get(entrance);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    inSteps.set(entrance, over);
    await earlier;
    await write();
    if (inSteps.get(entrance) === over) inSteps.delete(entrance);
    resolve();
  }

  function tell(
    matched: readonly Matched[],
    arrival: Arrival,
    outcomes: readonly UnitOutcome[],
  ): readonly Accepted[] {
    return outcomes.map((outcome, i) => {
      const one = matched[i] as Matched;
      const accepted = acceptedOf(one.event, senders(one), outcome);
      observe(arrival, accepted);
      return accepted;
    });
  }

  function hand(
    matched: readonly Matched[],
    arrival: Arrival,
    units: readonly Unit[],
    outcomes: readonly UnitOutcome[],
  ): void {
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.outcome !== 'committed') continue;
      const { event } = matched[i] as Matched;
      engine.hand(heldDeliveries(event, arrival, units[i] as Unit, outcome.deliveries));
    }
  }

  function hasRoom(matched: readonly Matched[]): boolean {
    let deliveries = 0;
    let bytes = 0;
    for (const { event, triggers } of matched) {
      deliveries += triggers.length;
      bytes += triggers.length * (event.body?.length ?? 0);
    }
    return engine.room(deliveries, bytes);
  }

  return ({ entrance }, events, rows, done) => {
    const full = backlog.full();
    if (full !== undefined) {
      done({ lost: false, cause: backlogged(full).message });
      return;
    }
    const arrival = arrivalAt(entrance);
    const routes = runtime().routes(entrance);
    const matched = events.map((event): Matched => {
      return { event, triggers: routes.match(event), asked: streams.asked(event, entrance) };
    });
    const asking = matched.filter(({ asked }) => asked !== undefined);
    const plain = matched.filter(({ asked }) => asked === undefined);
    const finish = (before: readonly Accepted[]): void =>
      writePlain(plain, arrival, rows, (after) => {
        done('cause' in after ? after : writtenOf([...before, ...after]));
      });
    /** Never rejects: who waits for its turn is let on. */
    const write = async (): Promise<void> => {
      try {
        if (asking.length === 0) finish([]);
        else await writeAsking(asking, arrival, finish);
      } catch (fault) {
        done({ lost: false, cause: String(fault) });
      }
    };
    const isOrdered = rows !== undefined && (asking.length > 0 || inSteps.has(entrance));
    void (isOrdered ? inTurn(entrance, write) : write());
  };
}

/** A backend's ids are its own: what the event is called on its way out has no part in them. */
function ojsSource(event: CloudEvent): string {
  return event.attributes['ojssource'] ?? '';
}

function writtenOf(all: readonly Accepted[]): Written {
  return {
    events: all.filter(({ duplicate }) => !duplicate).length,
    duplicates: all.filter(({ duplicate }) => duplicate).length,
    differing: all.filter(({ differs }) => differs).length,
  };
}
