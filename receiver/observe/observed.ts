import type { DeliveryObserver } from '../deliver/observer.ts';
import type { Journal } from '../journal/journal.ts';
import { countBacklog } from './count-backlog.ts';
import type { Log } from './log.ts';
import { logged } from './logged.ts';
import { createMetrics, type Gauges, type Metrics } from './metrics.ts';
import type { Observer } from './observer.ts';
import { recorded } from './recorded.ts';
import { createRecount } from './recount.ts';
import { type RefusalLimits, refusalBounds } from './refusal-bounds.ts';
import { createRefusalLog } from './refusal-log.ts';
import { createRefusalStore, type RefusalStore } from './refusal-store.ts';
import { createRepeatLog, REPEATS_KEPT, type RepeatLog } from './repeat-log.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { createTriggerBacklog, type TriggerBacklog } from './trigger-backlog.ts';

/** What is watched, and by what. */
export interface ObservedParts extends Pick<Gauges, 'revision' | 'held' | 'untried' | 'now'> {
  readonly journal: Journal;
  /** What receivers that share the journal call it; undefined: it is this one's alone. */
  readonly shared: string | undefined;
  /** Eight hexadecimal digits that no other receiver has. */
  readonly receiver: string;
  /** How much of what was refused is kept. */
  readonly rejected: RefusalLimits | undefined;
  /** A delivery had its first attempt. */
  readonly tried: () => void;
  readonly log: Log;
}

/** What a receiver knows of what passed through it. */
export interface Observed {
  /** Told by the pipeline. */
  readonly observer: Observer;
  /** Told by the delivery engine. */
  readonly deliveries: DeliveryObserver;
  readonly registry: Metrics['registry'];
  readonly refusals: RefusalStore;
  readonly repeats: RepeatLog;
  readonly traffic: Traffic;
  readonly triggerBacklog: TriggerBacklog;
  /** Brings the backlogs up to date; undefined where only this receiver changes them. */
  readonly recount: (() => Promise<void>) | undefined;
}

/** Sets up metrics, log lines and records. */
export async function createObserved(parts: ObservedParts): Promise<Observed> {
  const { journal, shared, receiver, rejected, tried, log, ...gauges } = parts;
  const { now } = gauges;
  const metrics = createMetrics({
    ...gauges,
    stats: () => journal.stats(),
    instances: () => journal.countRows('instance'),
  });
  const repeats = createRepeatLog(REPEATS_KEPT);
  const triggerBacklog = createTriggerBacklog(await countBacklog(journal, log));
  const traffic = createTraffic(triggerBacklog, shared);
  const recount =
    shared === undefined ? undefined : createRecount({ journal, backlog: triggerBacklog, log, now });
  const bounds = refusalBounds(rejected);
  const newest = createRefusalLog(bounds, receiver);
  const refusals = createRefusalStore({
    journal,
    refusals: newest,
    rules: { ...bounds, writer: shared === undefined ? 'own' : receiver },
    mostRows: bounds.rows,
    now,
    log,
  });
  return {
    observer: recorded(logged(metrics, log), { refusals: newest, repeats, traffic, triggerBacklog, now }),
    deliveries: {
      ...metrics,
      tried,
      ended(trigger, state) {
        triggerBacklog.ended(trigger);
        traffic.ended(trigger, state);
      },
    },
    registry: metrics.registry,
    refusals,
    repeats,
    traffic,
    triggerBacklog,
    recount,
  };
}
