/** Failures in a row that open a circuit. */
const THRESHOLD = 5;
const FIRST_OPEN_MS = 500;
const LONGEST_OPEN_MS = 15_000;

/** What a circuit answers to an attempt: `closed` and `probe` may go, `open` may not. */
export type Admission = 'closed' | 'probe' | 'open';

/** Keeps attempts from a target that is down: open after failures in a row, then one probe at a time. */
export interface Circuit {
  /** May an attempt start? `probe` must be followed by `ended`. */
  admit(now: number): Admission;
  /** An attempt ended: the target is `up`, `down`, or it did not come to that (`unknown`). True: the circuit changed. */
  ended(health: 'up' | 'down' | 'unknown', probe: boolean, now: number): boolean;
  readonly isOpen: boolean;
}

/** Makes a closed circuit. Pure but for its own state: the time is passed in. */
export function createCircuit(): Circuit {
  let failures = 0;
  let openMs = 0;
  let until = 0;
  let probing = false;

  function open(now: number): boolean {
    const changed = openMs === 0;
    openMs = changed ? FIRST_OPEN_MS : Math.min(openMs * 2, LONGEST_OPEN_MS);
    until = now + openMs;
    return changed;
  }

  function close(): boolean {
    const changed = openMs !== 0;
    failures = 0;
    openMs = 0;
    return changed;
  }

  return {
    admit(now) {
      if (openMs === 0) return 'closed';
      // A clock that was set back must not hold the circuit open for longer than it was opened for.
      const waiting = now < until && until - now <= openMs;
      if (probing || waiting) return 'open';
      probing = true;
      return 'probe';
    },
    ended(health, probe, now) {
      if (probe) probing = false;
      if (health === 'unknown') return false;
      if (health === 'up') return close();
      failures += 1;
      if (openMs === 0) return failures >= THRESHOLD && open(now);
      return probe && open(now);
    },
    get isOpen() {
      return openMs !== 0;
    },
  };
}
