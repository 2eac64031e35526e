import {
  type Accepted,
  type Arrival,
  acceptedOf,
  deliveriesOf,
  type Matched,
  senders,
} from '../acceptance.ts';
import type { RequestError } from '../errors.ts';
import type { UnitOutcome } from '../journal/journal.ts';
import type { Renderers } from '../routing/renderers.ts';
import type { Runtime } from '../routing/runtime.ts';
import type { Committer, Rows } from './committer.ts';
import { decideEvent, type Taken, type World } from './decide.ts';
import { instanceFault } from './faults.ts';
import { keep } from './kept.ts';
import type { Ledger } from './ledger.ts';
import { arrivalUnits, type PlannedUnit } from './units.ts';

/** What it works with. */
export interface ArrivalsParts {
  readonly committer: Committer;
  readonly renderers: Pick<Renderers, 'pin'>;
  readonly runtime: () => Runtime;
  readonly world: (now: number) => World;
}

/** An event of a request on its way; what was overtaken by another receiver is decided again. */
interface Work {
  readonly matched: Matched;
  readonly ledger: Ledger;
  readonly taken: Taken;
}

type Outcome = Accepted | RequestError;

/** Writes the events of a request together with what they do to instances; one outcome each. */
export type WriteArrivals = (
  matched: readonly Matched[],
  arrival: Arrival,
  /** Whether the sender is told what is wrong with the instance that an event names. */
  refuses: boolean,
) => Promise<readonly Outcome[]>;

/** Makes it. */
export function createArrivals({ committer, renderers, runtime, world }: ArrivalsParts): WriteArrivals {
  /** Decides one event after the other: what comes later in the request finds what an earlier one leaves. */
  async function decideAll(
    matched: readonly Matched[],
    { entrance, now }: Arrival,
  ): Promise<readonly Work[]> {
    const members = new Set(runtime().streams(entrance)?.members.keys());
    const known: Rows = new Map();
    const works: Work[] = [];
    for (const one of matched) {
      const { event, asked } = one;
      const kept = keep(event, entrance);
      const { ledger, result } = await committer.decide(known, now, (it): Taken => {
        if (asked === undefined) return { triggers: [], instances: [], faults: [], stragglers: [] };
        return decideEvent(asked, { event: kept, members }, it, world(now));
      });
      for (const [key, row] of ledger.after()) known.set(key, row);
      works.push({ matched: one, ledger, taken: result });
    }
    return works;
  }

  function plan(works: readonly Work[], arrival: Arrival): { units: PlannedUnit[]; mains: number[] } {
    const plain = { deliveries: 0, bytes: 0 };
    for (const { triggers, event } of works.map((work) => work.matched)) {
      plain.deliveries += triggers.length;
      plain.bytes += triggers.length * (event.body?.length ?? 0);
      for (const { shape } of triggers) renderers.pin(shape);
    }
    const ledgers = works.map(({ ledger }) => ledger);
    const making = committer.making(arrival.now, ledgers, plain);
    const units: PlannedUnit[] = [];
    const mains = works.map(({ matched, ledger, taken }) => {
      const deliveries = deliveriesOf(matched, arrival, runtime(), making.room);
      const on = { ledger, making, more: refusedBy(taken) };
      return (
        units.push(...arrivalUnits(matched.event, takersOf(matched, taken), arrival, deliveries, on)) - 1
      );
    });
    return { units, mains };
  }

  return async (matched, arrival, refuses) => {
    const outcomes = new Map<Matched, Outcome>();
    for (let left = matched; left.length > 0; left = left.filter((one) => !outcomes.has(one))) {
      const works = await decideAll(left, arrival);
      const { units, mains } = plan(works, arrival);
      await committer.commit(units, arrival.now, (came) => {
        for (const [i, work] of works.entries()) {
          const outcome = came[mains[i] ?? -1];
          if (outcome === undefined) continue;
          committer.learn(work.ledger, outcome);
          if (outcome.outcome !== 'conflict') outcomes.set(work.matched, outcomeOf(work, outcome, refuses));
        }
      });
    }
    return matched.map((one) => outcomes.get(one) as Outcome);
  };
}

/** Why streams that it fits did not take it, for its record. */
function refusedBy({ faults, stragglers }: Taken): object {
  return {
    ...(faults.length === 0 ? {} : { faults }),
    ...(stragglers.length === 0 ? {} : { stragglers }),
  };
}

function takersOf(matched: Matched, { triggers, instances }: Taken) {
  return { triggers: [...senders(matched).triggers, ...triggers], instances };
}

/** Only where nobody took it is an event refused for what its instance is; a repeat gets its first answer. */
function outcomeOf({ matched, taken }: Work, outcome: UnitOutcome, refuses: boolean): Outcome {
  const takers = takersOf(matched, taken);
  const [fault] = taken.faults;
  if (fault !== undefined && refuses && outcome.outcome === 'committed' && takers.triggers.length === 0)
    return instanceFault(fault);
  return acceptedOf(matched.event, takers, outcome);
}
