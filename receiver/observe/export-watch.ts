import type { Log } from './log.ts';

/** Told how each batch of spans fared: why it did not arrive, or undefined. */
export type ExportWatch = (spans: number, failure: Error | undefined) => void;

/** How often it is said again that nothing arrives. */
const AGAIN_MS = 600_000;

/** Says in the log that a collector takes no spans: at once, then every ten minutes, and once that it takes them again. */
export function createExportWatch({
  log,
  now,
}: {
  readonly log: Log;
  readonly now: () => number;
}): ExportWatch {
  let lost = 0;
  let toldAt: number | undefined;

  return (spans, failure) => {
    if (failure === undefined) {
      if (toldAt !== undefined) log.info({ lost }, 'the trace collector takes spans again');
      lost = 0;
      toldAt = undefined;
      return;
    }
    lost += spans;
    if (toldAt !== undefined && now() - toldAt < AGAIN_MS) return;
    toldAt = now();
    const error = wordsOf(failure);
    log.warn(
      { error, lost },
      'the trace collector takes no spans; check its address and that it listens there',
    );
  };
}

/** Where a name has several addresses and none answers, the error has a code and no words. */
function wordsOf(failure: Error): string {
  if (failure.message !== '') return failure.message;
  return 'code' in failure ? String(failure.code) : failure.name;
}
