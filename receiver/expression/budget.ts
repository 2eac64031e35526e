/**
 * Steps that one evaluation may take. A step is about 0.1 µs of work, so that the worst expression on the worst
 * data ends after some 10 ms; a plain condition takes fewer than twenty.
 */
export const STEP_BUDGET = 100_000;

/** What an expression may still spend. Counted and not timed: the same event gives the same answer anywhere. */
export interface Budget {
  /** Takes `steps` from what is left; throws CostExceeded once nothing is. */
  spend(steps: number): void;
  /** Starts anew, before each evaluation. */
  reset(): void;
  readonly exceeded: boolean;
}

/** The evaluation has spent its budget: no match, and never a value. */
export class CostExceeded extends Error {
  constructor() {
    super('cost exceeded');
    this.name = 'CostExceeded';
  }
}

/**
 * A value does not fit an operation: what an expression meets often and swallows cheaply, so it is made once, without
 * regard to where it is thrown.
 */
export class ValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ValueError';
  }
}

/** A budget that one compiled expression uses for each evaluation in turn (they never overlap). */
export function createBudget(steps: number = STEP_BUDGET): Budget {
  // Made once: a stack trace per throw would cost more than what it ends.
  const error = new CostExceeded();
  let left = steps;
  return {
    spend(taken) {
      left -= taken;
      if (left < 0) throw error;
    },
    reset() {
      left = steps;
    },
    get exceeded() {
      return left < 0;
    },
  };
}
