/** What a pacer decides with; all in milliseconds. */
export interface PaceOptions {
  /** Under load a batch goes no sooner than this after the last one: what it costs whatever it holds is shared by more. */
  readonly paceMs: number;
  /** It goes later still, up to this after the last one, while every turn of the event loop brings more calls. */
  readonly longestMs: number;
  /** Monotonic. */
  readonly clock: () => number;
  readonly after: (go: () => void, ms: number) => void;
  /** Once the event loop has come round. */
  readonly nextTurn: (go: () => void) => void;
  /** Calls of the batch in the making. */
  readonly calls: () => number;
  readonly go: () => void;
}

/** Says when the next batch goes (docs/decisions/commits-are-paced.md). */
export interface Pacer {
  /** There is a batch to go; asked again before it goes, it changes nothing. */
  plan(): void;
  /** A batch of so many calls goes now. */
  went(calls: number): void;
}

/** That is load: so many calls in the last batch and the one in the making. A sender alone is never held up. */
const BUSY_CALLS = 4;

/** Makes a pacer that has seen no batch. */
export function createPacer({ paceMs, longestMs, clock, after, nextTurn, calls, go }: PaceOptions): Pacer {
  let last = { at: Number.NEGATIVE_INFINITY, calls: 0 };
  let planned = false;
  /** How many calls the batch had when that was looked at last. */
  let gathered = 0;

  function look(): void {
    if (calls() > gathered && clock() - last.at < longestMs) {
      gathered = calls();
      nextTurn(look);
      return;
    }
    planned = false;
    go();
  }

  return {
    plan() {
      if (planned) return;
      planned = true;
      gathered = calls();
      const wait = last.calls + gathered >= BUSY_CALLS ? last.at + paceMs - clock() : 0;
      if (wait > 0) after(look, wait);
      else nextTurn(look);
    },
    went(count) {
      last = { at: clock(), calls: count };
    },
  };
}
