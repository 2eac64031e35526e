import type { Unit, UnitOutcome } from '../journal/journal.ts';
import type { Observer } from '../observe/observer.ts';
import type { Backlog } from './backlog.ts';
import type { DeliveryEngine } from './engine-contract.ts';

/** Who hears of deliveries that were committed. */
export interface MadeParts {
  readonly backlog: Pick<Backlog, 'added'>;
  readonly observer: Pick<Observer, 'queued'>;
  readonly engine: () => Pick<DeliveryEngine, 'due'>;
  readonly now: () => number;
}

/** Tells of the deliveries that units made, those of them that were committed. */
export function tellMade(
  units: readonly Pick<Unit, 'deliveries'>[],
  outcomes: readonly UnitOutcome[],
  { backlog, observer, engine, now }: MadeParts,
): void {
  let deliveries = 0;
  let due = 0;
  let inLine = false;
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.outcome !== 'committed') continue;
    for (const { trigger, parked, line } of units[i]?.deliveries ?? []) {
      observer.queued(trigger);
      deliveries += 1;
      if (parked === undefined) due += 1;
      if (parked === undefined && line !== undefined) inLine = true;
    }
  }
  backlog.added(deliveries, due);
  // What is ordered is read from the journal, which gives out the first of each line.
  if (inLine) engine().due(now());
}
