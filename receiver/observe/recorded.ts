import type { Observer } from './observer.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { RepeatLog } from './repeat-log.ts';

/** Tells the logs, too, what an observer is told. */
export function recorded(
  observer: Observer,
  {
    refusals,
    repeats,
  }: { readonly refusals: Pick<RefusalLog, 'add'>; readonly repeats: Pick<RepeatLog, 'add'> },
): Observer {
  return {
    accepted: (entrance, duplicate, triggers, ms) => observer.accepted(entrance, duplicate, triggers, ms),
    repeated(repeat) {
      observer.repeated(repeat);
      repeats.add(repeat);
    },
    rejected(refusal) {
      observer.rejected(refusal);
      refusals.add(refusal);
    },
  };
}
