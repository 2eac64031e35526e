import type { Observer } from './observer.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { RepeatLog } from './repeat-log.ts';
import type { Traffic } from './traffic.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

/** What is kept of what an observer is told. */
export interface Records {
  readonly refusals: Pick<RefusalLog, 'add'>;
  readonly repeats: Pick<RepeatLog, 'add'>;
  readonly traffic: Pick<Traffic, 'accepted' | 'rejected'>;
  readonly triggerBacklog: Pick<TriggerBacklog, 'added'>;
  readonly now: () => number;
}

/** Tells the records, too, what an observer is told. */
export function recorded(observer: Observer, records: Records): Observer {
  const { refusals, repeats, traffic, triggerBacklog, now } = records;
  return {
    accepted(entrance, duplicate, triggers, ms) {
      observer.accepted(entrance, duplicate, triggers, ms);
      if (!duplicate) traffic.accepted(entrance, triggers, now());
    },
    proved: (by) => observer.proved(by),
    committed: (ms) => observer.committed(ms),
    queued(trigger) {
      observer.queued(trigger);
      triggerBacklog.added(trigger);
    },
    repeated(repeat) {
      observer.repeated(repeat);
      repeats.add(repeat);
    },
    rejected(refusal) {
      observer.rejected(refusal);
      refusals.add(refusal);
      if (refusal.status === 401) traffic.rejected(refusal.entrance);
    },
  };
}
