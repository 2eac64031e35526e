import type { Log } from './log.ts';
import type { Observer } from './observer.ts';

/**
 * Adds one log line per decision at debug, and at error where it was no decision but a fault; the level is asked once per
 * line, so that info costs nothing.
 */
export function logged(observer: Observer, log: Log): Observer {
  return {
    accepted(entrance, duplicate, triggers, ms) {
      observer.accepted(entrance, duplicate, triggers, ms);
      if (log.isLevelEnabled('debug')) log.debug({ entrance, duplicate, triggers, ms }, 'event accepted');
    },
    proved: (by) => observer.proved(by),
    committed: (ms) => observer.committed(ms),
    queued: (trigger) => observer.queued(trigger),
    repeated(repeat) {
      observer.repeated(repeat);
      if (repeat.differs) log.warn(repeat, 'an event came again under its id, with other bytes');
    },
    rejected(refusal) {
      observer.rejected(refusal);
      if (refusal.code === 'internal_error') log.error(refusal, 'a request met a fault of the receiver');
      else if (log.isLevelEnabled('debug')) log.debug(refusal, 'request refused');
    },
  };
}
