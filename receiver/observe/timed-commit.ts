import type { Journal, JournalError, Unit, UnitOutcome } from '../journal/journal.ts';
import type { Observer } from './observer.ts';

/** Commits units, and tells the observer how long that took, whatever came of it. */
export function commitTimed(
  { journal, observer, now }: TimedParts,
  units: readonly Unit[],
  done: (error: JournalError | undefined, outcomes: readonly UnitOutcome[]) => void,
): void {
  const handedOver = now();
  journal.commit(units, (error, outcomes) => {
    observer.committed(Math.max(0, now() - handedOver));
    done(error, outcomes);
  });
}

interface TimedParts {
  readonly journal: Pick<Journal, 'commit'>;
  readonly observer: Pick<Observer, 'committed'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
