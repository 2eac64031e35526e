import type { Log } from './log.ts';
import type { Observer } from './observer.ts';

/** Adds one log line per decision at debug; the level is asked once per line, so that info costs nothing. */
export function logged(observer: Observer, log: Log): Observer {
  return {
    accepted(entrance, duplicate, triggers, ms) {
      observer.accepted(entrance, duplicate, triggers, ms);
      if (log.isLevelEnabled('debug')) log.debug({ entrance, duplicate, triggers, ms }, 'event accepted');
    },
    rejected(entrance, code, cause) {
      observer.rejected(entrance, code, cause);
      if (log.isLevelEnabled('debug')) log.debug({ entrance, code, cause }, 'request refused');
    },
  };
}
