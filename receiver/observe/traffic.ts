import type { EntryChange } from '../routing/runtime.ts';
import { type Entry, entryKey } from '../routing/table.ts';
import type { InstanceCounts } from '../streams/instance-counts.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

/** What passed at one resource since this receiver started; times are milliseconds since the epoch. */
export interface TrafficItem extends Partial<Record<TrafficCount, number>> {
  /** `Kind/namespace/name` */
  readonly resource: string;
  readonly uid: string;
  readonly lastEvent?: number;
  /** Of a value stream, by state. */
  readonly instances?: InstanceCounts;
  /** The journal that instances and backlog are counted in, where receivers share it: all of them count the same. */
  readonly journal?: string;
}

/** What only grows. */
export const TRAFFIC_TOTALS = ['accepted', 'rejected', 'read', 'delivered', 'failed'] as const;

/** What is counted, as `status.traffic` names it; which of it, depends on the kind. */
export type TrafficCount = (typeof TRAFFIC_TOTALS)[number] | 'backlog';

/** Counts what passes at each resource of the table in force. */
export interface Traffic {
  /** A new table: what is gone, or is another of the same name, is forgotten. */
  tableChanged(changes: readonly Pick<EntryChange, 'before' | 'after'>[]): void;
  accepted(entrance: string, triggers: readonly string[], at: number): void;
  /** A request did not prove itself. */
  rejected(entrance: string): void;
  ended(trigger: string, state: 'delivered' | 'dead'): void;
  /** Resources at which anything passed, or waits; `instances` by trigger, as the journal counts them. */
  list(instances?: ReadonlyMap<string, InstanceCounts>): readonly TrafficItem[];
}

interface Count {
  readonly kind: Entry['kind'];
  readonly resource: string;
  readonly uid: string;
  lastEvent: number;
  /** Events that came in. */
  taken: number;
  rejected: number;
  delivered: number;
  failed: number;
}

/** What a status tells of each kind. */
const SHOWN: Readonly<
  Record<Entry['kind'], (count: Count, waiting: number) => Partial<Record<TrafficCount, number>>>
> = {
  WebhookSecret: ({ taken, rejected }) => ({ accepted: taken, rejected }),
  EventTrigger: ({ delivered, failed }, backlog) => ({ delivered, failed, backlog }),
  EventBridge: ({ taken, delivered, failed }, backlog) => ({ read: taken, delivered, failed, backlog }),
};

/** Makes a count of nothing. `journal` is what receivers that share it call it. */
export function createTraffic(backlog: Pick<TriggerBacklog, 'of'>, journal?: string): Traffic {
  const shared = journal === undefined ? {} : { journal };
  /** By the name under which events come in, and deliveries go out: a bridge has one for both. */
  const counts = new Map<string, Count>();

  return {
    tableChanged(changes) {
      for (const { before, after } of changes) {
        if (before !== undefined && before.uid !== after?.uid) counts.delete(nameOf(before));
        if (after !== undefined && after.uid !== before?.uid) counts.set(nameOf(after), countOf(after));
      }
    },
    accepted(entrance, triggers, at) {
      const endpoint = counts.get(entrance);
      if (endpoint !== undefined) {
        endpoint.taken += 1;
        endpoint.lastEvent = at;
      }
      for (const trigger of triggers) {
        const count = counts.get(trigger);
        if (count !== undefined) count.lastEvent = at;
      }
    },
    rejected(entrance) {
      const endpoint = counts.get(entrance);
      if (endpoint !== undefined) endpoint.rejected += 1;
    },
    ended(trigger, state) {
      const count = counts.get(trigger);
      if (count === undefined) return;
      if (state === 'delivered') count.delivered += 1;
      else count.failed += 1;
    },
    list: (instances) =>
      [...counts].flatMap(([name, count]) => {
        const { resource, uid, kind, lastEvent } = count;
        const shown = SHOWN[kind](count, backlog.of(name));
        const own = instances?.get(name);
        const passed = lastEvent > 0 || own !== undefined || Object.values(shown).some((each) => each > 0);
        if (!passed) return [];
        const seen = lastEvent === 0 ? {} : { lastEvent };
        return [
          { resource, uid, ...seen, ...shown, ...(own === undefined ? {} : { instances: own }), ...shared },
        ];
      }),
  };
}

/** A trigger goes by `namespace/name`; its own cluster address, `EventTrigger/…`, is no resource of its own. */
function nameOf(entry: Entry): string {
  return entry.kind === 'EventTrigger' ? `${entry.namespace}/${entry.name}` : entryKey(entry);
}

function countOf(entry: Entry): Count {
  const nothing = { lastEvent: 0, taken: 0, rejected: 0, delivered: 0, failed: 0 };
  return { kind: entry.kind, resource: entryKey(entry), uid: entry.uid, ...nothing };
}
