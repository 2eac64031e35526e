import { entryKey, type RoutingTable } from '../routing/table.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

/** What passed at one resource since this receiver started; times are milliseconds since the epoch. */
export type TrafficItem = {
  /** `Kind/namespace/name` */
  readonly resource: string;
  readonly uid: string;
  readonly lastEvent?: number;
} & (
  | { readonly accepted: number; readonly rejected: number }
  | { readonly delivered: number; readonly failed: number; readonly backlog: number }
);

/** Counts what passes at each resource of the table in force. */
export interface Traffic {
  /** A new table: what is gone, or is another of the same name, is forgotten. */
  retain(entries: RoutingTable['entries']): void;
  accepted(entrance: string, triggers: readonly string[], at: number): void;
  /** A request did not prove itself. */
  rejected(entrance: string): void;
  ended(trigger: string, state: 'delivered' | 'dead'): void;
  /** Resources at which anything passed, or waits. */
  list(): readonly TrafficItem[];
}

interface Count {
  readonly uid: string;
  lastEvent: number;
  /** Events accepted, or deliveries made. */
  good: number;
  /** Requests rejected, or deliveries that failed for good. */
  bad: number;
}

const TRIGGER = 'EventTrigger/';

/** Makes a count of nothing. */
export function createTraffic(backlog: Pick<TriggerBacklog, 'of'>): Traffic {
  let counts = new Map<string, Count>();

  function shown(resource: string, { uid, lastEvent, good, bad }: Count): TrafficItem {
    const head = { resource, uid, ...(lastEvent === 0 ? {} : { lastEvent }) };
    return resource.startsWith(TRIGGER)
      ? { ...head, delivered: good, failed: bad, backlog: backlog.of(resource.slice(TRIGGER.length)) }
      : { ...head, accepted: good, rejected: bad };
  }

  return {
    retain(entries) {
      const kept = new Map<string, Count>();
      for (const entry of entries) {
        const key = entryKey(entry);
        const before = counts.get(key);
        const fresh = { uid: entry.uid, lastEvent: 0, good: 0, bad: 0 };
        kept.set(key, before?.uid === entry.uid ? before : fresh);
      }
      counts = kept;
    },
    accepted(entrance, triggers, at) {
      const endpoint = counts.get(entrance);
      if (endpoint !== undefined && !entrance.startsWith(TRIGGER)) {
        endpoint.good += 1;
        endpoint.lastEvent = at;
      }
      for (const trigger of triggers) {
        const count = counts.get(TRIGGER + trigger);
        if (count !== undefined) count.lastEvent = at;
      }
    },
    rejected(entrance) {
      const endpoint = counts.get(entrance);
      if (endpoint !== undefined && !entrance.startsWith(TRIGGER)) endpoint.bad += 1;
    },
    ended(trigger, state) {
      const count = counts.get(TRIGGER + trigger);
      if (count === undefined) return;
      if (state === 'delivered') count.good += 1;
      else count.bad += 1;
    },
    list: () =>
      [...counts]
        .map(([resource, count]) => shown(resource, count))
        .filter((item) => Object.values(item).some((value) => typeof value === 'number' && value > 0)),
  };
}
